// The hash of a blob on its way in: of what arrives in order as it arrives, of the rest by reading it back.
import { type Hash, createHash } from 'node:crypto';
import { type Digest, algorithmOf } from '../../core/oci/digest.ts';
import type { BufferPool } from '../buffer-pool.ts';
import type { Part } from './part.ts';
import type { Progress } from './progress.ts';

/** What came out of order is still in the page cache, most likely. A buffer at a time, so that the event loop has its turns. */
export class FrontHash {
  readonly #hash: Hash;
  readonly #part: Part;
  readonly #progress: Progress;
  readonly #buffers: BufferPool;
  #position = 0;
  #reading: Promise<void> | undefined;

  constructor(digest: Digest, part: Part, progress: Progress, buffers: BufferPool) {
    this.#hash = createHash(algorithmOf(digest));
    this.#part = part;
    this.#progress = progress;
    this.#buffers = buffers;
  }

  /** A chunk that is being written, and will not be taken back. */
  pass(chunk: Uint8Array, offset: number): void {
    if (offset !== this.#position || this.#reading !== undefined) return;
    this.#hash.update(chunk);
    this.#position += chunk.length;
  }

  /** To be called when more is here. */
  follow(): void {
    if (this.#reading !== undefined || this.#progress.front <= this.#position) return;
    const reading = this.#readBack().finally(() => (this.#reading = undefined));
    this.#reading = reading;
    // Whoever asks for the digest is told: it goes on reading there.
    reading.catch(() => undefined);
  }

  /** Lower-case hexadecimal, of all that is here from the start without a gap. To be called once, when no more comes. */
  async hex(): Promise<string> {
    await this.stopped();
    await this.#readBack();
    return this.#hash.digest('hex');
  }

  /** Resolves when nothing is being read back. */
  async stopped(): Promise<void> {
    await this.#reading?.catch(() => undefined);
  }

  async #readBack(): Promise<void> {
    if (this.#progress.front <= this.#position) return;
    const buffer = this.#buffers.take();
    try {
      while (this.#progress.failure === undefined && this.#position < this.#progress.front) {
        const wanted = Math.min(buffer.length, this.#progress.front - this.#position);
        const length = await this.#part.read(buffer, wanted, this.#position);
        this.#hash.update(buffer.subarray(0, length));
        this.#position += length;
      }
    } finally {
      this.#buffers.giveBack(buffer);
    }
  }
}
