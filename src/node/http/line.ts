// The requests of one connection, answered one after the other although they may arrive together (pipelining).
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

// No client of a registry pipelines. Who sends more than this ahead only wants us to hold it.
const longest = 32;

export class Line {
  readonly #socket: Socket;
  #last: Promise<void> = Promise.resolve();
  #length = 0;
  #running: ServerResponse | undefined;
  /** To the request that came last: only of that one something may still be missing. */
  #latest: ServerResponse | undefined;
  /** To one whose rest will never come. */
  #broken: ServerResponse | undefined;
  #closing = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Something came behind what is being answered. */
  get isUrged(): boolean {
    return this.#length > 1;
  }

  /** Nothing that came is without its answer. */
  get idle(): boolean {
    return this.#length === 0;
  }

  /** `work` begins when everything before it is over, and not at all if by then the connection is closed, or the request broken. */
  answer(response: ServerResponse, work: () => Promise<void>): void {
    this.#latest = response;
    this.join(async () => {
      if (response === this.#broken) return;
      // Node gives a response its socket when its turn has come, and none after a reply that closes the connection.
      if (response.socket === null || response.socket.destroyed) return;
      if (this.#closing) response.shouldKeepAlive = false;
      this.#running = response;
      await work();
      this.#running = undefined;
    });
  }

  /**
   * What came cannot be read any further. `refuse` says so, behind all answers, and closes the connection; at once, where the answer
   * under way is to the very request that broke, for whoever gives it may wait for the rest of that.
   */
  break(refuse: () => void): void {
    const latest = this.#latest;
    if (latest?.req.complete === false && !latest.writableEnded) {
      this.#broken = latest;
      if (this.#running === latest) return latest.headersSent ? void this.#socket.destroy() : refuse();
    }
    this.join(refuse);
  }

  join(turn: () => Promise<void> | void): void {
    if (this.#length === longest) {
      this.#socket.destroy();
      return;
    }
    this.#length += 1;
    this.#last = this.#follow(this.#last, turn);
  }

  /** Closes the connection when what runs is over: at once if nothing does. */
  close(): void {
    this.#closing = true;
    // Has no effect on a reply whose head is out.
    if (this.#running !== undefined) this.#running.shouldKeepAlive = false;
    if (this.idle) this.#socket.destroy();
  }

  async #follow(before: Promise<void>, turn: () => Promise<void> | void): Promise<void> {
    await before;
    await turn();
    this.#length -= 1;
    if (this.#closing && this.idle) this.#socket.destroySoon();
  }
}
