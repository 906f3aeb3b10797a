// One exchange over undici, whose body gives out all that has arrived before it says what broke it.
//
// A stream of Node's forgets what it holds as soon as its connection breaks. On a link that breaks often, that is fetched twice.
import type { Dispatcher } from 'undici';
import type { UpstreamResponse } from '../core/upstream/fetch.ts';
import type { Headers } from '../core/mirror/reply.ts';

/** Bytes that may have arrived before anybody asked for them: so many that a reader who stops for a moment does not stop the sender. */
const mostHeld = 128 * 1024;
/** And so many chunks: each costs some hundred bytes of its own, and a sender may make them as small as it likes. */
const mostChunks = 1024;
/** Small chunks are given out together, up to this. */
const together = 64 * 1024;

type Controller = Pick<Dispatcher.DispatchController, 'abort' | 'pause' | 'resume'>;
type Chunk = IteratorResult<Uint8Array, undefined>;

export class Exchange implements Dispatcher.DispatchHandler, AsyncIterableIterator<Uint8Array, undefined> {
  readonly #signal: AbortSignal;
  readonly #answer = Promise.withResolvers<UpstreamResponse>();
  #controller: Controller | undefined;
  #held: Buffer[] = [];
  #size = 0;
  #paused = false;
  #ended = false;
  #broken: { readonly error: unknown } | undefined;
  #waiting: PromiseWithResolvers<Chunk> | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    if (signal.aborted) this.#break(signal.reason);
    else signal.addEventListener('abort', this.#aborted, { once: true });
  }

  /** Rejects with what keeps it from coming. */
  get answer(): Promise<UpstreamResponse> {
    return this.#answer.promise;
  }

  onRequestStart(controller: Controller): void {
    this.#controller = controller;
    // It waited for a connection, and is no longer wanted.
    if (this.#broken !== undefined) this.#hangUp();
  }

  onResponseStart(_controller: Controller, status: number, headers: IncomingHeaders): void {
    if (status < 200) return;
    this.#answer.resolve({ status, headers: defined(headers), body: this, cancel: () => this.#cancel() });
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#held.push(chunk);
    this.#size += chunk.length;
    this.#waiting?.resolve(this.#take());
    this.#waiting = undefined;
    if (this.#size < mostHeld && this.#held.length < mostChunks) return;
    this.#paused = true;
    controller.pause();
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#signal.removeEventListener('abort', this.#aborted);
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  onResponseError(_controller: Controller, error: Error): void {
    this.#break(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<Chunk> {
    if (this.#size > 0) return this.#take();
    if (this.#broken !== undefined) throw this.#broken.error;
    if (this.#ended) return { done: true, value: undefined };
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  async return(): Promise<Chunk> {
    this.#cancel();
    return { done: true, value: undefined };
  }

  #take(): Chunk {
    let count = 0;
    let bytes = 0;
    for (const { length } of this.#held) {
      if (count > 0 && bytes + length > together) break;
      bytes += length;
      count += 1;
    }
    const chunks = this.#held.splice(0, count);
    const [first] = chunks;
    this.#size -= bytes;
    if (this.#paused && this.#size < mostHeld / 2 && this.#held.length < mostChunks / 2) {
      this.#paused = false;
      this.#controller?.resume();
    }
    return { done: false, value: first !== undefined && count === 1 ? first : Buffer.concat(chunks) };
  }

  readonly #aborted = (): void => {
    this.#forget();
    this.#break(this.#signal.reason);
    this.#hangUp();
  };

  #cancel(): void {
    this.#forget();
    if (this.#broken !== undefined) return;
    const over = this.#ended;
    this.#break(new Error('cancelled'));
    if (!over) this.#hangUp();
  }

  #forget(): void {
    this.#held = [];
    this.#size = 0;
  }

  #break(error: unknown): void {
    this.#signal.removeEventListener('abort', this.#aborted);
    this.#broken ??= { error };
    this.#answer.reject(error);
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  #hangUp(): void {
    this.#controller?.abort(new Error('nobody wants the rest'));
  }
}

type IncomingHeaders = Readonly<Record<string, string | string[] | undefined>>;

function defined(received: IncomingHeaders): Headers {
  return Object.fromEntries(
    Object.entries(received).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
