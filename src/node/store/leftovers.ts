// Blobs that broke off on their way in: their files wait for the next who wants them, and are the first to make room.
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../../core/mirror/events.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { type Journalled, readJournal, stretchLength } from './journal.ts';
import { journalOf, type Layout } from './layout.ts';

/** Milliseconds after which nobody is expected to come back for one. */
export const keptFor = 7 * 86_400_000;

export interface Leftover extends Journalled {
  readonly path: string;
  /** What it takes of the disk. */
  readonly bytes: number;
  /** Milliseconds since 1970 when it was last written to. */
  readonly leftAt: number;
}

/** What is listed; its journal is read again by whoever goes on with it. */
type Listed = Pick<Leftover, 'digest' | 'path' | 'bytes' | 'leftAt'>;

export class Leftovers {
  readonly #report: Report;
  readonly #listed = new Map<Digest, Listed>();
  #bytes = 0;

  /** Only for whoever holds the lock: what lies there and is of no use goes. */
  static async find({ incoming }: Layout, report: Report): Promise<Leftovers> {
    const found = new Leftovers(report);
    const names = await readdir(incoming);
    for (const name of names.filter((each) => each.endsWith('.part'))) await found.add(join(incoming, name));
    const known = new Set([...found.#listed.values()].flatMap(({ path }) => [path, journalOf(path)]));
    const others = names.map((name) => join(incoming, name)).filter((path) => !known.has(path));
    await Promise.all(others.map((path) => rm(path, { recursive: true, force: true })));
    return found;
  }

  private constructor(report: Report) {
    this.#report = report;
  }

  /** Bytes that they take in all. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False: it is of no use to anybody. `atLeast`: so many bytes are known to be in it. */
  async add(path: string, atLeast = 0): Promise<boolean> {
    const leftover = await leftoverAt(path).catch(() => undefined);
    if (leftover === undefined) return false;
    const { digest, leftAt } = leftover;
    // A file system may not have said yet what it takes.
    const listed = { digest, path, leftAt, bytes: Math.max(leftover.bytes, atLeast) };
    const other = this.claim(digest);
    if (other !== undefined) await this.#remove(other);
    this.#listed.set(digest, listed);
    this.#bytes += listed.bytes;
    return true;
  }

  /** From here on it is the caller's, and is not counted here any more. */
  claim(digest: Digest): Listed | undefined {
    const listed = this.#listed.get(digest);
    if (listed === undefined) return undefined;
    this.#listed.delete(digest);
    this.#bytes -= listed.bytes;
    return listed;
  }

  /** False if there is none. */
  async dropOldest(): Promise<boolean> {
    const [oldest] = [...this.#listed.values()].toSorted((one, other) => one.leftAt - other.leftAt);
    if (oldest !== undefined) await this.#drop(oldest);
    return oldest !== undefined;
  }

  /** `since`: milliseconds since 1970; those that were left before go. */
  async tidy(since: number): Promise<void> {
    for (const listed of this.#listed.values()) if (listed.leftAt < since) await this.#drop(listed);
  }

  /** Nobody can claim it any more, but it counts until it is gone. */
  async #drop(listed: Listed): Promise<void> {
    this.#listed.delete(listed.digest);
    if (await this.#remove(listed)) this.#bytes -= listed.bytes;
  }

  async #remove({ path }: Listed): Promise<boolean> {
    try {
      await rm(path, { force: true });
      await rm(journalOf(path), { force: true });
      return true;
    } catch (error) {
      this.#report({ kind: 'trouble', where: 'store', doing: 'remove what broke off', error });
      return false;
    }
  }
}

/** Undefined if nobody could go on with it. */
export async function leftoverAt(path: string): Promise<Leftover | undefined> {
  const journalled = await readJournal(journalOf(path));
  if (journalled === undefined || bytesIn(journalled) < stretchLength) return undefined;
  const found = await stat(path);
  if (!found.isFile()) return undefined;
  return { ...journalled, path, bytes: found.blocks * 512, leftAt: found.mtimeMs };
}

function bytesIn({ stretches }: Journalled): number {
  return stretches.reduce((sum, { start, end }) => sum + end - start, 0);
}
