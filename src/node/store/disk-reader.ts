// One reader of a blob on its way in: its own position, its own pace, one buffer.
import type { FileHandle } from 'node:fs/promises';
import type { Want } from '../../core/mirror/lanes.ts';
import type { Range } from '../../core/oci/range.ts';
import type { BufferPool } from '../buffer-pool.ts';
import type { Progress, Waiter } from './progress.ts';

/** Bytes at the end that nobody gets before the digest is known to match. */
const heldBack = 64 * 1024;

export interface ReaderParts {
  readonly handle: FileHandle;
  readonly progress: Progress;
  readonly buffers: BufferPool;
  /** Whether the last bytes wait for the digest. */
  readonly holdBack: boolean;
  readonly range: Range | undefined;
  /** It begins to wait for bytes that are not here. */
  readonly wanted: (want: Want) => void;
  readonly left: () => void;
}

/** Not a generator: one that waits cannot be told that its reader has left. */
export class DiskReader implements AsyncIterableIterator<Uint8Array> {
  readonly #parts: ReaderParts;
  readonly #start: number;
  #position: number;
  #buffer: Buffer | undefined;
  /** What the buffer holds was handed out and may still be on its way to a client; it is ours again with the next `next`. */
  #lent = false;
  #reading = false;
  #over = false;
  #waiter: Waiter | undefined;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#start = parts.range?.offset ?? 0;
    this.#position = this.#start;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#lent = false;
    try {
      const ready = await this.#untilReady();
      const value = ready > 0 ? await this.#read(ready) : undefined;
      if (value !== undefined) return { done: false, value };
    } catch (error) {
      this.stop();
      throw error;
    }
    return this.return();
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.stop();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Lets go of file and buffer, at the latest when a read that is under way is over. */
  stop(): void {
    this.#over = true;
    if (this.#waiter !== undefined) this.#parts.progress.wake(this.#waiter);
    if (!this.#reading) this.#leave();
  }

  #leave(): void {
    if (this.#buffer !== undefined && !this.#lent) this.#parts.buffers.giveBack(this.#buffer);
    this.#buffer = undefined;
    this.#parts.left();
  }

  /** How many bytes may go out now; 0: it is over. */
  async #untilReady(): Promise<number> {
    const { progress } = this.#parts;
    for (;;) {
      if (progress.failure !== undefined && !this.#complete()) throw progress.failure;
      if (this.#over || this.#complete()) return 0;
      const ready = Math.min(progress.available(this.#position), this.#allowed() - this.#position);
      if (ready > 0) return ready;
      await this.#untilMore();
    }
  }

  #end(): number | undefined {
    const { range, progress } = this.#parts;
    return range === undefined ? progress.size : range.offset + range.length;
  }

  #complete(): boolean {
    return this.#position === this.#end() && (this.#parts.progress.verified || !this.#parts.holdBack);
  }

  /** The offset up to which bytes may go out, be they here or not. */
  #allowed(): number {
    const end = this.#end();
    if (end !== undefined && (this.#parts.progress.verified || !this.#parts.holdBack)) return end;
    return Math.max(this.#start, (end ?? this.#parts.progress.front) - heldBack);
  }

  #untilMore(): Promise<void> {
    return new Promise((wake) => {
      const waiter = { at: this.#lacks(), end: this.#end() ?? Infinity, wake };
      this.#waiter = waiter;
      this.#parts.progress.wait(waiter);
      if (waiter.at < waiter.end) this.#parts.wanted(waiter);
    });
  }

  /** This byte has to be here before anything more can go out; none will do, if all that is left is held back. */
  #lacks(): number {
    if (this.#end() === undefined) return this.#position + heldBack;
    return this.#position < this.#allowed() ? this.#position : Infinity;
  }

  /** Undefined if the reader left meanwhile. */
  async #read(ready: number): Promise<Uint8Array | undefined> {
    const buffer = (this.#buffer ??= this.#parts.buffers.take());
    this.#reading = true;
    try {
      const length = Math.min(ready, buffer.length);
      const { bytesRead } = await this.#parts.handle.read(buffer, 0, length, this.#position);
      if (bytesRead === 0) throw new Error('the file ends before what was written to it');
      this.#position += bytesRead;
      this.#lent = !this.#over;
      if (this.#lent) return buffer.subarray(0, bytesRead);
      if (this.#parts.progress.failure !== undefined) throw this.#parts.progress.failure;
      return undefined;
    } finally {
      this.#reading = false;
    }
  }
}
