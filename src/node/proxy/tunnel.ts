// Bytes between a client and a host, both ways, each way until its own end.
import type { OnReadOpts, Socket } from 'node:net';
import type { Pace } from '../../core/door/limit.ts';
import type { Watched } from '../../core/oci/rounds.ts';
import type { Ending, Traffic } from './traffic.ts';

export interface TunnelLimits {
  /** Milliseconds without a byte either way. */
  readonly idle: number;
  /** Milliseconds in all. */
  readonly longest: number;
}

/** Milliseconds. Clients keep connections that they do not use, and open others when those are closed. */
const idleAtTheEnd = 3000;
/** What a tunnel begins with; one that brings much at once gets the larger. Twice that gains little and costs a crowd much (bench/README.md). */
const [smallBuffer, largeBuffer] = [8 * 1024, 32 * 1024];

/**
 * What the host sends goes through one buffer, which is read into again when the kernel has taken what was in it: the host waits
 * for the client, and nothing is allocated for a chunk. What the client sends, which is less, is piped.
 */
export class Tunnel implements Watched {
  /** For whoever dials. */
  readonly onread: OnReadOpts;
  readonly #client: Socket;
  readonly #pace: Pace | undefined;
  #idle: number;
  readonly #longest: number;
  #upstream: Socket | undefined;
  #buffer = Buffer.allocUnsafeSlow(smallBuffer);
  #isWaiting = false;
  #moved = -1;
  #movedAt = 0;
  #began = 0;
  #ending: { readonly ended: Ending; readonly error?: unknown } | undefined;

  /** `pace`: of who may not have it as fast as he can take it. */
  constructor(client: Socket, limits: TunnelLimits, pace?: Pace) {
    this.#client = client;
    this.#pace = pace;
    this.#idle = limits.idle;
    this.#longest = limits.longest;
    this.onread = { buffer: () => this.#buffer, callback: (length, bytes) => this.#down(length, bytes) };
  }

  /** Resolves when both connections are closed. `first`: what the client has sent before. `upstream` was dialled with `onread`. */
  async run(upstream: Socket, first: Buffer, now: number): Promise<Traffic> {
    const client = this.#client;
    // What was said before: by us to the client, and to a proxy on the way.
    const before = { sent: upstream.bytesWritten, received: client.bytesWritten };
    this.#upstream = upstream;
    this.#began = this.#movedAt = now;
    // Node would move a timer with every chunk.
    client.setTimeout(0);
    const closed = Promise.all([this.#end(client, 'client'), this.#end(upstream, 'upstream')]);
    if (upstream.readableEnded) client.end();
    else upstream.once('end', () => client.end());
    upstream.write(first);
    client.pipe(upstream);
    await closed;
    this.#pace?.leave();
    const traffic = {
      sent: upstream.bytesWritten - before.sent,
      received: client.bytesWritten - before.received,
    };
    return { ...traffic, ...(this.#ending ?? { ended: 'done' }) };
  }

  look(now: number): void {
    const moved = this.#client.bytesRead + (this.#upstream?.bytesRead ?? 0);
    if (moved !== this.#moved) this.#movedAt = now;
    this.#moved = moved;
    if (now - this.#movedAt >= this.#idle) this.stop('idle');
    else if (now - this.#began >= this.#longest) this.stop('longest');
  }

  /** From now on it is over soon after the last byte. */
  hasten(): void {
    this.#idle = Math.min(this.#idle, idleAtTheEnd);
  }

  /** A clean end would be a lie: both sides are shown that it was cut off. */
  stop(ended: Ending, error?: unknown): void {
    this.#ending ??= { ended, ...(error !== undefined && { error }) };
    for (const socket of [this.#client, this.#upstream]) if (socket?.destroyed === false) socket.resetAndDestroy();
  }

  /** One side's part in the end: resolves when its connection is closed. */
  #end(socket: Socket, side: 'client' | 'upstream'): Promise<void> {
    const isOver = (): boolean => socket.readableEnded && (side === 'upstream' || socket.writableFinished);
    socket.once('error', (error) => {
      if (!isOver()) this.stop(side, error);
    });
    return new Promise((resolve) => {
      const close = (): void => {
        if (!isOver()) this.stop(side);
        // A host that has said all resets who goes on speaking. What it said is on its way still, and must arrive.
        else if (side === 'upstream') this.#client.resume();
        resolve();
      };
      if (socket.closed) close();
      else socket.once('close', close);
    });
  }

  /** False: no more for now. */
  #down(length: number, bytes: Uint8Array): boolean {
    // In TLS it is the client who speaks first.
    if (this.#upstream === undefined) {
      this.stop('upstream');
      return false;
    }
    if (length === bytes.length && length < largeBuffer) this.#buffer = Buffer.allocUnsafeSlow(largeBuffer);
    const chunk = bytes.subarray(0, length);
    if (this.#pace === undefined) return this.#give(chunk);
    const turn = this.#pace.take(length);
    if (turn === length) return this.#give(chunk);
    void this.#giveInSteps(chunk, turn, this.#pace);
    return false;
  }

  /** Reads on behind the last of them only: until then the buffer is in use. */
  async #giveInSteps(chunk: Uint8Array, first: number | Promise<number>, pace: Pace): Promise<void> {
    let rest = chunk;
    let count = await first;
    for (; count < rest.length; count = await pace.take(rest.length)) {
      if (count === 0) return;
      this.#client.write(rest.subarray(0, count));
      rest = rest.subarray(count);
    }
    if (this.#give(rest)) this.#upstream?.resume();
  }

  /** False: no more until it is taken. */
  #give(chunk: Uint8Array): boolean {
    this.#client.write(chunk, this.#taken);
    // Nothing is left over if the kernel took it all at once.
    this.#isWaiting = this.#client.writableLength > 0;
    return !this.#isWaiting;
  }

  readonly #taken = (): void => {
    if (!this.#isWaiting || this.#client.writableLength > 0) return;
    this.#isWaiting = false;
    this.#upstream?.resume();
  };
}
