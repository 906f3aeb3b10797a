// Manifests at rest: read from memory or the store, kept in both.
import { type Digest, algorithmOf, hexOf } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { Repository } from '../oci/reference.ts';
import type { HotManifests } from './hot.ts';
import type { Origin } from './origin.ts';
import type { Origins } from './origins.ts';
import type { BlobStore, Book, DigestOf } from './ports.ts';

/** The most that a manifest may have: 4 MiB, as distribution and podman have it. */
const longestManifest = 4 * 1024 * 1024;

export class KeptManifests {
  readonly #store: BlobStore;
  readonly #book: Book;
  readonly #origins: Origins;
  readonly #digest: DigestOf;
  readonly #hot: HotManifests;

  constructor(store: BlobStore, book: Book, origins: Origins, digest: DigestOf, hot: HotManifests) {
    this.#store = store;
    this.#book = book;
    this.#origins = origins;
    this.#digest = digest;
    this.#hot = hot;
  }

  /** What this repository's registry may open of what is here. */
  async read(repository: Repository, digest: Digest): Promise<Uint8Array | undefined> {
    if (!(await this.#origins.opens(repository, digest))) return undefined;
    const hot = this.#hot.get(digest);
    if (hot !== undefined) {
      // Else the store would take it for the one that nobody uses.
      this.#book.touch(digest);
      return hot;
    }
    const bytes = await this.#store.read(digest, longestManifest);
    if (bytes === undefined) return undefined;
    if ((await this.#digest(algorithmOf(digest), bytes)) === hexOf(digest)) {
      this.#hot.set(digest, bytes);
      return bytes;
    }
    // It turned bad at rest. Gone, it is fetched again like anything that is not here.
    await this.#store.check(digest);
    return undefined;
  }

  /** At once in memory, soon in the store. That the store cannot take it is the store's trouble and nobody else's. */
  async keep(manifest: Manifest, origin: Origin): Promise<void> {
    const { descriptor, bytes } = manifest;
    await this.#origins.learn(origin, descriptor.digest);
    if (this.#hot.has(descriptor.digest)) return;
    this.#hot.set(descriptor.digest, bytes);
    const source = async () => ({ offset: 0, size: bytes.length, stream: once(bytes) });
    this.#store.fill(descriptor.digest, [source], bytes.length, 1, origin).done.catch(() => {});
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
