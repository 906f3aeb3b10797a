// Which blobs are open, by their digest, and how many bytes they keep from being freed.
import type { Digest } from '../../core/oci/digest.ts';
import type { SharedFile } from './shared-file.ts';

/** An open file and its size. */
export interface Shelved {
  readonly file: SharedFile;
  readonly size: number;
}

export class OpenFiles {
  readonly #named = new Map<Digest, Shelved>();
  /** Open, but without a name. */
  readonly #loose = new Set<Shelved>();
  /** Of those with a name: they stay. */
  bytes = 0;
  /** Of those without. */
  looseBytes = 0;

  get(digest: Digest): Shelved | undefined {
    return this.#named.get(digest);
  }

  /** From now on this is what the name means. */
  add(digest: Digest, file: SharedFile, size: number): Shelved {
    this.detach(digest);
    const shelved = { file, size };
    this.#named.set(digest, shelved);
    this.bytes += size;
    void this.#forgetWhenClosed(digest, shelved);
    return shelved;
  }

  async #forgetWhenClosed(digest: Digest, shelved: Shelved): Promise<void> {
    await shelved.file.closed;
    if (this.#named.get(digest) === shelved) this.#forget(digest, shelved);
  }

  #forget(digest: Digest, shelved: Shelved): void {
    this.#named.delete(digest);
    this.bytes -= shelved.size;
  }

  /** The name is gone or means another file now; who has this one open keeps it. */
  detach(digest: Digest): void {
    const shelved = this.#named.get(digest);
    if (shelved === undefined) return;
    this.#forget(digest, shelved);
    void this.loosen(shelved);
  }

  /** All names are gone. */
  detachAll(): void {
    for (const digest of this.#named.keys()) this.detach(digest);
  }

  /** It has no name (any more), and its bytes are free when it is closed. */
  async loosen(shelved: Shelved): Promise<void> {
    this.#loose.add(shelved);
    this.looseBytes += shelved.size;
    await shelved.file.closed;
    this.#loose.delete(shelved);
    this.looseBytes -= shelved.size;
  }

  /** Waits for the files that nobody reads any more to be closed. */
  async closings(): Promise<void> {
    const leaving = [...this.#named.values(), ...this.#loose].filter(({ file }) => file.over);
    await Promise.all(leaving.map(({ file }) => file.closed));
  }
}
