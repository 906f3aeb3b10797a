// Blobs that broke off on their way in: their files wait for the next who wants them, and are the first to make room.
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from '../../core/mirror/events.ts';
import { type Journalled, readJournal, stretchLength } from './journal.ts';
import { isIncoming, isMissing, journalOf, type Layout } from './layout.ts';

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
interface Listed extends Pick<Leftover, 'digest' | 'origin' | 'path' | 'bytes' | 'leftAt'> {
  /** Nobody can have it any more, but it counts until it is gone. */
  going: boolean;
}

/** Bytes of one origin, which another's fill might show to whom they are not for, are nothing for it. */
type Whose = Pick<Leftover, 'digest' | 'origin'>;

export class Leftovers {
  readonly #layout: Layout;
  readonly #report: Report;
  /** By their path. */
  readonly #listed = new Map<string, Listed>();
  #bytes = 0;

  constructor(layout: Layout, report: Report) {
    this.#layout = layout;
    this.#report = report;
  }

  /** Begins anew with what lies there; what is of no use goes. Only for whoever holds the lock, before anything is written there. */
  async look(): Promise<void> {
    const { incoming } = this.#layout;
    this.#listed.clear();
    this.#bytes = 0;
    const entries = await readdir(incoming, { withFileTypes: true });
    const ours = entries.filter((entry) => isIncoming(entry.name) && !entry.isDirectory());
    const paths = ours.map(({ name }) => join(incoming, name));
    for (const path of paths.filter((each) => each.endsWith('.part'))) await this.add(path);
    const known = new Set([...this.#listed.keys()].flatMap((path) => [path, journalOf(path)]));
    const useless = paths.filter((path) => !known.has(path));
    const outcomes = await Promise.allSettled(useless.map((path) => rm(path, { force: true })));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) this.#complain(failed.reason);
  }

  /** Bytes that they take in all. */
  get bytes(): number {
    return this.#bytes;
  }

  /** False: it is of no use to anybody. */
  async add(path: string): Promise<boolean> {
    const leftover = await leftoverAt(path).catch(() => undefined);
    if (leftover === undefined) return false;
    const { digest, origin, bytes, leftAt } = leftover;
    const others = this.#of(leftover);
    this.#list({ digest, origin, path, bytes, leftAt, going: false });
    for (const other of others) await this.#drop(other);
    return true;
  }

  /** From here on it is the caller's, and is not counted here any more. */
  claim(whose: Whose): Listed | undefined {
    const listed = this.#of(whose).at(-1);
    if (listed !== undefined) this.#forget(listed);
    return listed;
  }

  /** Whoever has claimed it can do nothing with it. */
  async putBack(listed: Listed): Promise<void> {
    const gone = await lstat(listed.path).then(() => false, isMissing);
    if (!gone) this.#list(listed);
  }

  /** The oldest first. Each is tried once: the disk may not let it go. */
  async dropUntil(isEnough: () => boolean): Promise<void> {
    const all = [...this.#listed.values()].toSorted((one, other) => one.leftAt - other.leftAt);
    for (const listed of all) {
      if (isEnough()) return;
      await this.#drop(listed);
    }
  }

  /** `since`: milliseconds since 1970; those that were left before go. */
  async tidy(since: number): Promise<void> {
    for (const listed of this.#listed.values()) if (listed.leftAt < since) await this.#drop(listed);
  }

  /** Those that can be had, the newest last. */
  #of({ digest, origin }: Whose): Listed[] {
    const all = [...this.#listed.values()];
    return all.filter((listed) => listed.digest === digest && listed.origin === origin && !listed.going);
  }

  #list(listed: Listed): void {
    this.#listed.set(listed.path, listed);
    this.#bytes += listed.bytes;
  }

  #forget(listed: Listed): void {
    if (this.#listed.get(listed.path) !== listed) return;
    this.#listed.delete(listed.path);
    this.#bytes -= listed.bytes;
  }

  /** What the disk does not let go stays listed, so that it is tried again. */
  async #drop(listed: Listed): Promise<void> {
    if (listed.going || this.#listed.get(listed.path) !== listed) return;
    listed.going = true;
    try {
      await rm(listed.path, { force: true });
      await rm(journalOf(listed.path), { force: true });
      this.#forget(listed);
    } catch (error) {
      listed.going = false;
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    this.#report({ kind: 'trouble', where: 'store', doing: 'removing what broke off', error });
  }
}

/** Undefined if nobody could go on with it. */
export async function leftoverAt(path: string): Promise<Leftover | undefined> {
  const journalled = await readJournal(journalOf(path));
  if (journalled === undefined || bytesIn(journalled) < stretchLength) return undefined;
  const found = await lstat(path);
  if (!found.isFile()) return undefined;
  // A file system may not have said yet what it takes.
  const bytes = Math.max(found.blocks * 512, Math.min(found.size, bytesIn(journalled)));
  return { ...journalled, path, bytes, leftAt: found.mtimeMs };
}

function bytesIn({ stretches }: Journalled): number {
  return stretches.reduce((sum, { start, end }) => sum + end - start, 0);
}
