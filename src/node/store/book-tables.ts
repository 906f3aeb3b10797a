// What can be asked of the book, as SQL.
import type { Verdict } from '../../core/access/admit.ts';
import type { Pointer } from '../../core/mirror/ports.ts';
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Row } from './book-file.ts';
import { BookTidying } from './book-tidying.ts';

/** A row of the ledger. `usedAt`: milliseconds since 1970. */
export interface Entry {
  readonly digest: Digest;
  readonly size: number;
  readonly usedAt: number;
}

/** `checkedAt`: when it was last known to be what it is called; 0: never. */
export interface Stored extends Entry {
  readonly checkedAt: number;
}

export type Checked = Pick<Stored, 'digest' | 'checkedAt'>;

/** What a blob has in the ledger. */
export type Listed = Pick<Entry, 'digest' | 'size'>;

/** What was there; undefined: no row. */
interface Before {
  readonly before: number | undefined;
}

const ofRepository = 'repository = (SELECT id FROM repository WHERE key = ?)';

/** Repositories are told by their key (`repositoryKey`). All arguments and answers can be sent between threads. */
export class BookTables extends BookTidying {
  // The ledger.

  /** Answers with the size that the blob had. */
  put({ digest, size, usedAt, checkedAt }: Stored): Before {
    const before = this.sizeOf(digest);
    this.run(
      `INSERT INTO blob (digest, size, used_at, checked_at) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET size = excluded.size, used_at = max(used_at, excluded.used_at),
         checked_at = excluded.checked_at`,
      digest,
      size,
      Math.trunc(usedAt),
      Math.trunc(checkedAt),
    );
    return { before };
  }

  drop(digest: Digest): Before {
    const before = this.sizeOf(digest);
    if (before !== undefined) this.run('DELETE FROM blob WHERE digest = ?', digest);
    return { before };
  }

  /** Undefined: there is no such row. */
  sizeOf(digest: Digest): number | undefined {
    return (this.one('SELECT size FROM blob WHERE digest = ?', digest) as Row<'size'> | undefined)?.size;
  }

  touch(used: ReadonlyMap<Digest, number>): void {
    for (const [digest, at] of used) this.run('UPDATE blob SET used_at = ? WHERE digest = ?', Math.trunc(at), digest);
  }

  /** Least recently used first; goes on behind `after`. */
  oldest(after: Entry | undefined, count: number): Entry[] {
    return this.prepare(
      `SELECT digest, size, used_at AS usedAt FROM blob WHERE (used_at, digest) > (?, ?) ORDER BY used_at, digest LIMIT ?`,
    ).all(after?.usedAt ?? -1, after?.digest ?? '', count) as unknown as Entry[];
  }

  /** First those that a clock which was ahead of `now` has marked: nobody knows when they were checked. */
  leastChecked(now: number): Checked | undefined {
    const first =
      'SELECT digest, checked_at AS checkedAt FROM blob WHERE checked_at > ? ORDER BY checked_at, digest LIMIT 1';
    return (this.one(first, Math.trunc(now)) ?? this.one(first, -1)) as Checked | undefined;
  }

  checked(digest: Digest, at: number): true {
    this.run('UPDATE blob SET checked_at = ? WHERE digest = ?', Math.trunc(at), digest);
    return true;
  }

  /** The next of those whose digest begins so, in their order; `after` is one of them, or the prefix itself. */
  beginning(prefix: string, after: string, count: number): Listed[] {
    const rows = this.prepare('SELECT digest, size FROM blob WHERE digest > ? AND digest < ? ORDER BY digest LIMIT ?');
    return rows.all(after, `${prefix}~`, count) as unknown as Listed[];
  }

  // Pointers, standings, verdicts.

  pointer(repository: string, name: string): Pointer | undefined {
    const row = this.one(
      `SELECT digest, media_type AS mediaType, size, checked_at AS checkedAt FROM pointer
       WHERE ${ofRepository} AND name = ?`,
      repository,
      name,
    ) as (Descriptor & Row<'checkedAt'>) | undefined;
    return row && { descriptor: descriptorOf(row), checkedAt: row.checkedAt };
  }

  point(repository: string, name: string, pointer: Pointer | undefined): void {
    if (pointer === undefined) {
      return this.run(`DELETE FROM pointer WHERE ${ofRepository} AND name = ?`, repository, name);
    }
    const { digest, mediaType, size } = pointer.descriptor;
    this.run(
      'INSERT OR REPLACE INTO pointer (repository, name, digest, media_type, size, checked_at) VALUES (?, ?, ?, ?, ?, ?)',
      this.#intern(repository),
      name,
      digest,
      mediaType,
      size,
      Math.trunc(pointer.checkedAt),
    );
  }

  standing(repository: string, digest: Digest): Descriptor | undefined {
    const row = this.one(
      `SELECT digest, media_type AS mediaType, size FROM standing WHERE ${ofRepository} AND digest = ?`,
      repository,
      digest,
    ) as Descriptor | undefined;
    return row && descriptorOf(row);
  }

  link(repository: string, { digest, mediaType, size }: Descriptor): void {
    this.run(
      'INSERT OR REPLACE INTO standing (repository, digest, media_type, size) VALUES (?, ?, ?, ?)',
      this.#intern(repository),
      digest,
      mediaType,
      size,
    );
  }

  disown(repository: string, digest: Digest): void {
    this.run(`DELETE FROM standing WHERE ${ofRepository} AND digest = ?`, repository, digest);
  }

  verdict(repository: string): Verdict | undefined {
    return this.one(`SELECT as_of AS asOf FROM verdict WHERE ${ofRepository}`, repository) as Verdict | undefined;
  }

  judge(repository: string, verdict: Verdict | undefined): void {
    if (verdict === undefined) return this.run(`DELETE FROM verdict WHERE ${ofRepository}`, repository);
    const asOf = Math.trunc(verdict.asOf);
    this.run('INSERT OR REPLACE INTO verdict (repository, as_of) VALUES (?, ?)', this.#intern(repository), asOf);
  }

  /** Only for what is written there: nothing is left of a repository that was never public. */
  #intern(repository: string): number {
    this.run('INSERT OR IGNORE INTO repository (key) VALUES (?)', repository);
    return (this.one('SELECT id FROM repository WHERE key = ?', repository) as Row<'id'>).id;
  }
}

function descriptorOf({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
