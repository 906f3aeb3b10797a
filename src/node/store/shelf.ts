// The blobs directory and who is at it: what is open, being put in its place, or being taken away.
import type { Stats } from 'node:fs';
import { open, rename, stat, unlink } from 'node:fs/promises';
import type { Report } from '../../core/mirror/events.ts';
import type { HeldFile } from '../../core/mirror/reply.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { Doubts, type Found } from './doubts.ts';
import { Inspection, type Pace } from './inspection.ts';
import { isPlausible } from './intact.ts';
import { isMissing, type Layout, makeShard, syncDirectory } from './layout.ts';
import type { Ledger } from './ledger.ts';
import type { Quarantine } from './quarantine.ts';
import { OpenFiles, type Shelved } from './open-files.ts';
import { SharedFile } from './shared-file.ts';

export interface ShelfParts {
  readonly layout: Layout;
  readonly ledger: Ledger;
  readonly quarantine: Quarantine;
  readonly report: Report;
  /** After that nothing is doubted any more. */
  readonly stop: AbortSignal;
}

export class Shelf {
  readonly #parts: ShelfParts;
  readonly #open = new OpenFiles();
  readonly #opening = new Map<Digest, Promise<Shelved | undefined>>();
  readonly #placing = new Set<Digest>();
  readonly #removing = new Map<Digest, Promise<void>>();
  readonly #inspection = new Inspection();
  readonly #doubts: Doubts;
  /** How often something was put in place: whoever looked for a file before and after knows whether to look again. */
  #placed = 0;

  constructor(parts: ShelfParts) {
    this.#parts = parts;
    const { quarantine, report, stop } = parts;
    this.#doubts = new Doubts({
      quarantine,
      report,
      stop,
      hold: (digest) => this.#hold(digest),
      isNamed: (digest, file) => this.#open.get(digest)?.file === file && !this.#placing.has(digest),
      remove: (digest, size, takeAway) => this.remove(digest, size, takeAway),
    });
  }

  /** Bytes of the blobs that are open and therefore stay. */
  get openBytes(): number {
    return this.#open.bytes;
  }

  /** Bytes that occupy the disk although the ledger knows nothing of them: what lost its name but is open, and what is in quarantine. */
  get looseBytes(): number {
    return this.#open.looseBytes + this.#parts.quarantine.bytes;
  }

  /** Waits for the files that nobody reads any more to be closed: they stand in the way until then. */
  closings(): Promise<void> {
    return this.#open.closings();
  }

  /** The directory is another one: no name means what it meant. Who has a blob open keeps it. */
  leave(): void {
    this.#open.detachAll();
    this.#doubts.forgetAll();
  }

  /** Whether somebody is at it, so that it must not be evicted. */
  busy(digest: Digest): boolean {
    return (
      this.#open.get(digest) !== undefined ||
      this.#opening.has(digest) ||
      this.#placing.has(digest) ||
      this.#removing.has(digest)
    );
  }

  /** All who have a blob open share one descriptor. */
  async open(digest: Digest): Promise<HeldFile | undefined> {
    const held = await this.#hold(digest);
    if (held === undefined) return undefined;
    const { file, size, release } = held;
    return {
      descriptor: file.handle.fd,
      size,
      close: release,
      get bad() {
        return file.bad;
      },
      suspect: () => this.#doubts.suspect(digest, 'sending'),
    };
  }

  async #hold(digest: Digest): Promise<(Shelved & { release: () => void }) | undefined> {
    for (;;) {
      while (this.#removing.has(digest)) await this.#removing.get(digest)?.catch(() => undefined);
      if (this.#doubts.isBad(digest)) return undefined;
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
      return held.size <= most ? await held.file.readAll(held.size) : undefined;
    } catch (error) {
      this.#doubts.suspect(digest, 'reading');
      throw error;
    } finally {
      held.release();
    }
  }

  /** Reads and hashes it: see `Doubts`. */
  check(digest: Digest, found: Found): Promise<boolean> {
    return this.#doubts.check(digest, found);
  }

  /** As `check`, slowly and standing in nobody's way. A blob that is not here any more is no trouble. */
  async scrub(digest: Digest, pace: Pace, signal: AbortSignal): Promise<void> {
    const path = this.#parts.layout.blob(digest);
    const intact = await this.#inspection.look(path, digest, pace, signal);
    if (intact === undefined) await this.reconcile(digest);
    if (intact === false) await this.check(digest, 'scrubbing');
  }

  /** Resolves when nothing is looked at any more; to be called when it was stopped. */
  stopped(): Promise<void> {
    return this.#doubts.stopped();
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
    const { layout, ledger } = this.#parts;
    const handle = await open(layout.blob(digest), 'r').catch(undefinedIfMissing);
    if (handle === undefined) return undefined;
    try {
      const [{ size }, listed] = await Promise.all([handle.stat(), ledger.sizeOf(digest)]);
      const placed = this.#open.get(digest);
      if (placed !== undefined) {
        // What we have opened is what was there before.
        await handle.close();
        return placed;
      }
      const shelved = this.#open.add(digest, new SharedFile(handle), size);
      if (isPlausible(digest, size, listed)) return shelved;
      const release = shelved.file.hold();
      await this.#doubts.condemn(digest, shelved, 'opening').finally(release);
      return undefined;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async stat(digest: Digest): Promise<number | undefined> {
    if (this.#doubts.isBad(digest)) return undefined;
    const found = await stat(this.#parts.layout.blob(digest)).catch(undefinedIfMissing);
    return found !== undefined && isPlausible(digest, found.size, undefined) ? found.size : undefined;
  }

  /**
   * Puts a whole, verified and synced file in its place, where it is open to those who read it already.
   * `listed` is called when the ledger counts its bytes. Rejects with nothing changed; then the caller takes the part away.
   */
  async place(digest: Digest, part: string, file: SharedFile, size: number, listed: () => void): Promise<void> {
    const { layout, ledger } = this.#parts;
    this.#placing.add(digest);
    this.#placed += 1;
    try {
      await ledger.put(digest, size);
      const { restarts } = ledger;
      listed();
      const shard = layout.shardOf(digest);
      await makeShard(shard);
      // What was there before is not to be taken for this one.
      await this.#removing.get(digest)?.catch(() => undefined);
      await this.#inspection.leave(digest);
      await rename(part, layout.blob(digest));
      this.#doubts.forget(digest);
      this.#open.add(digest, file, size);
      await syncDirectory(shard);
      // A new book that was counted up before the file was in its place knows nothing of it.
      if (ledger.restarts !== restarts) await ledger.put(digest, size);
    } catch (error) {
      if (this.#open.get(digest)?.file !== file) void this.#open.loosen({ file, size });
      if ((await this.stat(digest).catch(() => 0)) === undefined) await ledger.drop(digest, size);
      throw error;
    } finally {
      this.#placing.delete(digest);
    }
  }

  /** The file first, then its row. Who has it open keeps it. `size`: what the ledger says, if that was asked. */
  async remove(digest: Digest, size?: number, takeAway: (path: string) => Promise<void> = unlink): Promise<void> {
    const removing = this.#removing.get(digest) ?? this.#reallyRemove(digest, size, takeAway);
    this.#removing.set(digest, removing);
    try {
      await removing;
    } finally {
      this.#removing.delete(digest);
    }
  }

  async #reallyRemove(
    digest: Digest,
    size: number | undefined,
    takeAway: (path: string) => Promise<void>,
  ): Promise<void> {
    const { layout, ledger } = this.#parts;
    const counted = size ?? (await this.stat(digest));
    await this.#inspection.leave(digest);
    await takeAway(layout.blob(digest)).catch(undefinedIfMissing);
    this.#doubts.forget(digest);
    this.#open.detach(digest);
    await ledger.drop(digest, counted);
  }

  /**
   * Brings the ledger to what is on disk, for one blob: after a crash, or when somebody has been at the files. `listed`: the
   * size in the ledger. A file of another size is not what was verified.
   */
  async reconcile(digest: Digest, listed?: number): Promise<void> {
    const { layout } = this.#parts;
    for (;;) {
      await this.#opening.get(digest)?.catch(() => undefined);
      // Whoever is at it tells the ledger.
      if (this.#placing.has(digest) || this.#removing.has(digest)) return;
      const placed = this.#placed;
      const found = await stat(layout.blob(digest)).catch(undefinedIfMissing);
      if (this.#placed !== placed || this.#opening.has(digest) || this.#removing.has(digest)) continue;
      return this.#bringTo(digest, found, listed);
    }
  }

  async #bringTo(digest: Digest, found: Stats | undefined, listed: number | undefined): Promise<void> {
    const { ledger } = this.#parts;
    const shelved = this.#open.get(digest);
    if (found === undefined) {
      this.#open.detach(digest);
      await ledger.drop(digest, listed);
    } else if (!isPlausible(digest, found.size, listed)) {
      if (shelved !== undefined) shelved.file.bad = true;
      await this.#doubts.putAside(digest, found.size, 'counting');
    } else if (listed === undefined) await ledger.found(digest, found.size, found.mtimeMs);
  }
}

function undefinedIfMissing(error: unknown): undefined {
  if (!isMissing(error)) throw error;
}
