// The manifests that were used last, in memory. What is named by its digest never changes, so nothing here is ever wrong.
import { Bounded } from '../oci/bounded.ts';
import type { Digest } from '../oci/digest.ts';

/** Bytes, of all of them together. */
const mostMemory = 16 * 1024 * 1024;

export class HotManifests {
  /** In order of last use. */
  readonly #memory = new Bounded<Uint8Array>(mostMemory, (_, bytes) => bytes.length);

  get(digest: Digest): Uint8Array | undefined {
    return this.#memory.use(digest);
  }

  has(digest: Digest): boolean {
    return this.#memory.get(digest) !== undefined;
  }

  set(digest: Digest, bytes: Uint8Array): void {
    this.#memory.set(digest, bytes);
  }
}
