// Manifests at rest: read from memory or the store, kept in both.
import { type Digest, algorithmOf, hexOf } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { BlobStore, Book, NewHasher } from './ports.ts';

/** The most that a manifest may have: 4 MiB, as distribution and podman have it. */
const longestManifest = 4 * 1024 * 1024;
/** Bytes of manifests kept in memory. */
const mostMemory = 16 * 1024 * 1024;

export class KeptManifests {
  readonly #store: BlobStore;
  readonly #book: Book;
  readonly #newHasher: NewHasher;
  /** In order of last use. What is named by its digest never changes, so nothing here is ever wrong. */
  readonly #memory = new Map<Digest, Uint8Array>();
  #bytes = 0;

  constructor(store: BlobStore, book: Book, newHasher: NewHasher) {
    this.#store = store;
    this.#book = book;
    this.#newHasher = newHasher;
  }

  async read(digest: Digest): Promise<Uint8Array | undefined> {
    const hot = this.#memory.get(digest);
    if (hot !== undefined) {
      this.#remember(digest, hot);
      // Else the store would take it for the one that nobody uses.
      this.#book.touch(digest);
      return hot;
    }
    const bytes = await this.#store.read(digest, longestManifest);
    if (bytes === undefined) return undefined;
    const hasher = this.#newHasher(algorithmOf(digest));
    hasher.update(bytes);
    if (hasher.hex() === hexOf(digest)) {
      this.#remember(digest, bytes);
      return bytes;
    }
    // It turned bad at rest. Gone, it is fetched again like anything that is not here.
    await this.#store.delete(digest);
    return undefined;
  }

  /** At once in memory, soon in the store. That the store cannot take it is the store's trouble and nobody else's. */
  keep(manifest: Manifest): void {
    const { descriptor, bytes } = manifest;
    if (this.#memory.has(descriptor.digest)) return;
    this.#remember(descriptor.digest, bytes);
    const source = async () => ({ offset: 0, size: bytes.length, stream: once(bytes) });
    this.#store.fill(descriptor.digest, [source], bytes.length).done.catch(() => {});
  }

  #remember(digest: Digest, bytes: Uint8Array): void {
    if (!this.#memory.delete(digest)) this.#bytes += bytes.length;
    this.#memory.set(digest, bytes);
    for (const [oldest, its] of this.#memory) {
      if (this.#bytes <= mostMemory) return;
      this.#memory.delete(oldest);
      this.#bytes -= its.length;
    }
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
