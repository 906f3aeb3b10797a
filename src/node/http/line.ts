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
  #closing = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Nothing that came is without its answer. */
  get idle(): boolean {
    return this.#length === 0;
  }

  /** `work` begins when everything before it is over, and not at all if the connection is closed by then. */
  answer(response: ServerResponse, work: () => Promise<void>): void {
    this.join(async () => {
      // Node gives a response its socket when its turn has come, and none after a reply that closes the connection.
      if (response.socket === null || response.socket.destroyed) return;
      if (this.#closing) response.shouldKeepAlive = false;
      this.#running = response;
      await work();
      this.#running = undefined;
    });
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
