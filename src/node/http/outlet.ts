// The body of one response on its way out: every write is waited for, and every byte is counted against what the head promised.
import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Pace } from '../../core/door/limit.ts';
import type { HeldFile } from '../../core/mirror/reply.ts';
import type { Range } from '../../core/oci/range.ts';
import type { Sendfile } from './sendfile.ts';

const tooLong = 'the body is longer than its head says';

/** Make one as soon as there is a response: it listens for the client leaving. */
export class Outlet {
  /** Bytes of the body that the kernel has taken. */
  bytes = 0;
  /** Those of them that it has moved there by itself. */
  poured = 0;
  /** All of the body is out, and nothing more will come. */
  whole = false;
  readonly #response: ServerResponse;
  /** Undefined: chunked, or in HTTP/1.0 until the connection is closed. */
  readonly #length: number | undefined;
  readonly #pace: Pace | undefined;
  #given = 0;
  #settle: ((done: boolean) => void) | undefined;

  /** `pace`: of who may not have it as fast as he can take it. */
  constructor(response: ServerResponse, length: number | undefined, pace?: Pace) {
    this.#response = response;
    this.#pace = pace;
    this.#length = length;
    // A write to a connection that is already closing is never called back, so each one also waits for this.
    response.once('close', () => {
      pace?.leave();
      this.#settle?.(false);
    });
  }

  /** The connection is gone, or on its way to be: nothing that is written gets anywhere. */
  get gone(): boolean {
    return this.#response.destroyed || this.#response.socket === null || this.#response.socket.destroyed;
  }

  /**
   * True when the kernel has taken the chunk, false when the client has left; until then the chunk must stay as it is.
   * Throws, and writes nothing, if that is more than the head promised.
   */
  async write(chunk: Uint8Array): Promise<boolean> {
    this.#give(chunk.length);
    if (chunk.length === 0) return !this.gone;
    const last = this.#pace === undefined ? chunk : await this.#lastOf(chunk, this.#pace);
    return last !== undefined && (await this.#push(last));
  }

  /**
   * Whether bytes may be given to the socket without Node: what it is given in TLS is not what goes out. Nor is it worth it for who
   * may not have them fast.
   */
  get takesFiles(): boolean {
    const { socket } = this.#response;
    return this.#pace === undefined && socket !== null && Object.getPrototypeOf(socket) === Socket.prototype;
  }

  /**
   * Gives a part of a file to the kernel: that is in its hands at once, as much as is counted, and maybe nothing. Only behind a
   * write that was taken, and where the socket `takesFiles`.
   */
  pour(sendfile: Sendfile, { descriptor }: HeldFile, { offset, length }: Range): number {
    if (this.#given + length > (this.#length ?? Infinity)) throw new Error(tooLong);
    const socket = this.#descriptor();
    // What Node has still in hand goes before it.
    if (socket === undefined || this.#response.writableLength > 0) return 0;
    const taken = Math.max(0, sendfile.send(socket, descriptor, offset, length));
    this.#given += taken;
    this.bytes += taken;
    this.poured += taken;
    return taken;
  }

  /** With the last of the body, if any is left. Throws if it is shorter than the head promised: that must not look like an end. */
  async end(last?: Uint8Array): Promise<void> {
    const length = last?.length ?? 0;
    this.#give(length);
    if (this.gone) return;
    if (this.#given < (this.#length ?? 0)) throw new Error('the body is shorter than its head says');
    const isPaced = last !== undefined && length > 0 && this.#pace !== undefined;
    const rest = isPaced ? await this.#lastOf(last, this.#pace) : last;
    this.whole = await this.#settled(rest?.length ?? 0, (done) => this.#response.end(rest, done));
  }

  /** The only honest answer to a body that breaks after its head. */
  destroy(): void {
    const { socket, chunkedEncoding } = this.#response;
    // Where the end of the connection is the end of the body, only a reset tells a broken one (RFC 9112, section 8).
    if (this.#length === undefined && !chunkedEncoding) socket?.resetAndDestroy();
    else this.#response.destroy();
  }

  /** What may go with the last step, when that may; the others are out by then. Undefined: the client has left. */
  async #lastOf(chunk: Uint8Array, pace: Pace): Promise<Uint8Array | undefined> {
    for (let rest = chunk; ;) {
      const turn = pace.take(rest.length);
      const count = typeof turn === 'number' ? turn : await turn;
      if (count === rest.length) return rest;
      if (count === 0 || !(await this.#push(rest.subarray(0, count)))) return undefined;
      rest = rest.subarray(count);
    }
  }

  #push(chunk: Uint8Array): Promise<boolean> {
    return this.#settled(chunk.length, (done) => this.#response.write(chunk, done));
  }

  #give(length: number): void {
    this.#given += length;
    if (this.#given > (this.#length ?? Infinity)) throw new Error(tooLong);
  }

  /**
   * The socket's own, now; undefined if it is closed. Never to be kept, not even over one `await`: from the moment in which Node
   * closes it, the number is whose connection comes next, and he would get what was meant for this one.
   */
  #descriptor(): number | undefined {
    // Not in Node's types; it says -1 as soon as the handle is being closed, and lets go of the handle then.
    const socket = this.#response.socket as { _handle?: { fd?: number } | null } | null;
    const descriptor = socket?._handle?.fd;
    return descriptor !== undefined && descriptor >= 0 ? descriptor : undefined;
  }

  /** `length`: of what is counted once it is done. */
  #settled(length: number, start: (done: (error?: Error | null) => void) => void): Promise<boolean> {
    if (this.gone) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#settle = resolve;
      start((error) => {
        const done = error === undefined || error === null;
        if (done) this.bytes += length;
        resolve(done);
      });
    });
  }
}
