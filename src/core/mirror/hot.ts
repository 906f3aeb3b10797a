// The manifests that were used last, in memory. What is named by its digest never changes, so nothing here is ever wrong.
import type { Digest } from '../oci/digest.ts';

/** Bytes, of all of them together. */
const mostMemory = 16 * 1024 * 1024;

export class HotManifests {
  /** In order of last use. */
  readonly #memory = new Map<Digest, Uint8Array>();
  #bytes = 0;

  get(digest: Digest): Uint8Array | undefined {
    const bytes = this.#memory.get(digest);
    if (bytes !== undefined) this.set(digest, bytes);
    return bytes;
  }

  has(digest: Digest): boolean {
    return this.#memory.has(digest);
  }

  set(digest: Digest, bytes: Uint8Array): void {
    if (!this.#memory.delete(digest)) this.#bytes += bytes.length;
    this.#memory.set(digest, bytes);
    for (const [oldest, its] of this.#memory) {
      if (this.#bytes <= mostMemory) return;
      this.#memory.delete(oldest);
      this.#bytes -= its.length;
    }
  }
}
