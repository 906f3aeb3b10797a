// The blobs directory and who is at it: what is open, being put in its place, or being taken away.
import { open, rename, stat, unlink } from 'node:fs/promises';
import type { HeldFile } from '../../core/mirror/reply.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { isIntact } from './intact.ts';
import { isMissing, type Layout, makeShard, syncDirectory } from './layout.ts';
import type { Ledger } from './ledger.ts';
import { SharedFile } from './shared-file.ts';

interface Shelved {
  readonly file: SharedFile;
  readonly size: number;
}

export class Shelf {
  readonly #layout: Layout;
  readonly #ledger: Ledger;
  readonly #open = new Map<Digest, Shelved>();
  readonly #opening = new Map<Digest, Promise<Shelved | undefined>>();
  readonly #placing = new Set<Digest>();
  readonly #removing = new Map<Digest, Promise<void>>();
  /** How often something was put in place: whoever looked for a file before and after knows whether to look again. */
  #placed = 0;
  /** Open, but without a name. */
  readonly #loose = new Set<Shelved>();
  #openBytes = 0;
  #looseBytes = 0;

  constructor(layout: Layout, ledger: Ledger) {
    this.#layout = layout;
    this.#ledger = ledger;
  }

  /** Bytes of the blobs that are open and therefore stay. */
  get openBytes(): number {
    return this.#openBytes;
  }

  /** Bytes of files that have no name any more but are still open: they occupy the disk, and the ledger knows nothing of them. */
  get looseBytes(): number {
    return this.#looseBytes;
  }

  /** Waits for the files that nobody reads any more to be closed: they stand in the way until then. */
  async closings(): Promise<void> {
    const leaving = [...this.#open.values(), ...this.#loose].filter(({ file }) => file.over);
    await Promise.all(leaving.map(({ file }) => file.closed));
  }

  /** Whether somebody is at it, so that it must not be evicted. */
  busy(digest: Digest): boolean {
    return (
      this.#open.has(digest) || this.#opening.has(digest) || this.#placing.has(digest) || this.#removing.has(digest)
    );
  }

  /** All who have a blob open share one descriptor. */
  async open(digest: Digest): Promise<HeldFile | undefined> {
    const held = await this.#hold(digest);
    return held && { descriptor: held.file.handle.fd, size: held.size, close: held.release };
  }

  async #hold(digest: Digest): Promise<(Shelved & { release: () => void }) | undefined> {
    for (;;) {
      while (this.#removing.has(digest)) await this.#removing.get(digest)?.catch(() => undefined);
      const shelved = this.#open.get(digest) ?? (await this.#openFile(digest));
      if (shelved === undefined) return undefined;
      const release = shelved.file.tryHold();
      if (release !== undefined) return { ...shelved, release };
      // The last reader has just left; it is opened anew.
      await shelved.file.closed;
    }
  }

  /** Undefined if it is not here, or longer than `most`. */
  async read(digest: Digest, most: number): Promise<Uint8Array | undefined> {
    const held = await this.#hold(digest);
    if (held === undefined) return undefined;
    try {
      return held.size <= most ? await readAll(held) : undefined;
    } finally {
      held.release();
    }
  }

  /** True also if there is none. */
  async isIntact(digest: Digest): Promise<boolean> {
    const held = await this.#hold(digest);
    if (held === undefined) return true;
    try {
      return await isIntact(held.file.handle, digest);
    } finally {
      held.release();
    }
  }

  /** From the first call on it is busy: no await may come before that. */
  #openFile(digest: Digest): Promise<Shelved | undefined> {
    let opening = this.#opening.get(digest);
    if (opening === undefined) {
      opening = this.#reallyOpen(digest).finally(() => this.#opening.delete(digest));
      this.#opening.set(digest, opening);
    }
    return opening;
  }

  async #reallyOpen(digest: Digest): Promise<Shelved | undefined> {
    const handle = await open(this.#layout.blob(digest), 'r').catch(undefinedIfMissing);
    if (handle === undefined) return undefined;
    try {
      const { size } = await handle.stat();
      return this.#shelve(digest, new SharedFile(handle), size);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  #shelve(digest: Digest, file: SharedFile, size: number): Shelved {
    this.#detach(digest);
    const shelved = { file, size };
    this.#open.set(digest, shelved);
    this.#openBytes += size;
    void this.#unshelveWhenClosed(digest, shelved);
    return shelved;
  }

  async #unshelveWhenClosed(digest: Digest, shelved: Shelved): Promise<void> {
    await shelved.file.closed;
    if (this.#open.get(digest) === shelved) this.#unshelve(digest, shelved);
  }

  #unshelve(digest: Digest, shelved: Shelved): void {
    this.#open.delete(digest);
    this.#openBytes -= shelved.size;
  }

  /** The name is gone or means another file now; who has this one open keeps it. */
  #detach(digest: Digest): void {
    const shelved = this.#open.get(digest);
    if (shelved === undefined) return;
    this.#unshelve(digest, shelved);
    void this.#loosen(shelved);
  }

  async #loosen(shelved: Shelved): Promise<void> {
    this.#loose.add(shelved);
    this.#looseBytes += shelved.size;
    await shelved.file.closed;
    this.#loose.delete(shelved);
    this.#looseBytes -= shelved.size;
  }

  async stat(digest: Digest): Promise<number | undefined> {
    return (await stat(this.#layout.blob(digest)).catch(undefinedIfMissing))?.size;
  }

  /**
   * Puts a whole, verified and synced file in its place, where it is open to those who read it already.
   * `listed` is called when the ledger counts its bytes. Rejects with nothing changed; then the caller takes the part away.
   */
  async place(digest: Digest, part: string, file: SharedFile, size: number, listed: () => void): Promise<void> {
    this.#placing.add(digest);
    this.#placed += 1;
    try {
      await this.#ledger.put(digest, size);
      listed();
      const shard = this.#layout.shardOf(digest);
      await makeShard(shard);
      await rename(part, this.#layout.blob(digest));
      this.#shelve(digest, file, size);
      await syncDirectory(shard);
    } catch (error) {
      if (this.#open.get(digest)?.file !== file) void this.#loosen({ file, size });
      await this.#dropIfMissing(digest, size);
      throw error;
    } finally {
      this.#placing.delete(digest);
    }
  }

  /** The file first, then its row. Who has it open keeps it. `size`: what the ledger says, if that was asked. */
  async remove(digest: Digest, size?: number): Promise<void> {
    const removing = this.#removing.get(digest) ?? this.#reallyRemove(digest, size);
    this.#removing.set(digest, removing);
    try {
      await removing;
    } finally {
      this.#removing.delete(digest);
    }
  }

  async #reallyRemove(digest: Digest, size: number | undefined): Promise<void> {
    const counted = size ?? (await this.stat(digest));
    await unlink(this.#layout.blob(digest)).catch(undefinedIfMissing);
    this.#detach(digest);
    await this.#ledger.drop(digest, counted);
  }

  /**
   * Brings the ledger to what is on disk, for one blob: after a crash, or when somebody has been at the files. `listed`: the
   * size in the ledger. A file of another size is not what was verified, and goes.
   */
  async reconcile(digest: Digest, listed?: number): Promise<void> {
    if (this.busy(digest)) return;
    const placed = this.#placed;
    const found = await stat(this.#layout.blob(digest)).catch(undefinedIfMissing);
    if (this.#placed !== placed || this.busy(digest)) return;
    if (found === undefined) await this.#ledger.drop(digest, listed);
    else if (listed === undefined) await this.#ledger.put(digest, found.size, found.mtimeMs);
    else if (listed !== found.size) await this.remove(digest, listed);
  }

  async #dropIfMissing(digest: Digest, size: number): Promise<void> {
    if ((await this.stat(digest).catch(() => 0)) === undefined) await this.#ledger.drop(digest, size);
  }
}

/** Not `readFile`: that moves the descriptor's own position, and the descriptor is shared. */
async function readAll({ file, size }: Shelved): Promise<Uint8Array> {
  const bytes = new Uint8Array(size);
  for (let done = 0; done < size;) {
    const { bytesRead } = await file.handle.read(bytes, done, size - done, done);
    if (bytesRead === 0) throw new Error('the file has become shorter');
    done += bytesRead;
  }
  return bytes;
}

function undefinedIfMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
