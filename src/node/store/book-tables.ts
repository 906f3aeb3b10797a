// What can be asked of the book, as SQL. Synchronous: runs in the book's own thread (book-worker.ts).
import { chmodSync } from 'node:fs';
import type { Verdict } from '../../core/access/admit.ts';
import type { Pointer } from '../../core/mirror/ports.ts';
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { fromVersion2, pragmas, schema, version } from './book-schema.ts';
import { Database, type Statement } from './sqlite.ts';

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

type Row<Column extends string> = Readonly<Record<Column, number>>;

const ofRepository = 'repository = (SELECT id FROM repository WHERE key = ?)';

/** It is whole, but not ours. */
export class UnreadableBook extends Error {}

/** Repositories are told by their key (`repositoryKey`). All arguments and answers can be sent between threads. */
export class BookTables {
  readonly #db: Database;
  readonly #statements = new Map<string, Statement>();
  readonly found: { readonly bytes: number; readonly blobs: number; readonly clean: boolean };

  constructor(path: string) {
    this.#db = new Database(path);
    try {
      chmodSync(path, 0o600);
      this.#db.exec(pragmas);
      this.#createOnce();
      this.found = this.#start();
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  #createOnce(): void {
    const found = (this.#one('PRAGMA user_version') as { user_version: number }).user_version;
    if (found === version) return;
    if (found !== 0 && found !== 2) throw new UnreadableBook(`the book is of version ${found}, not ${version}`);
    this.transact(() => this.#db.exec(found === 0 ? schema : fromVersion2));
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  #one(sql: string, ...values: (string | number)[]): unknown {
    return this.#prepare(sql).get(...values);
  }

  #run(sql: string, ...values: (string | number)[]): void {
    this.#prepare(sql).run(...values);
  }

  transact<T>(work: () => T): T {
    this.#db.exec('BEGIN');
    try {
      const result = work();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** The stop is unclean from here on, and that must be on disk before any row is written with less care. */
  #start(): BookTables['found'] {
    const total = this.#one('SELECT bytes, blobs, clean FROM total, stop') as
      | Row<'bytes' | 'blobs' | 'clean'>
      | undefined;
    if (total === undefined) throw new UnreadableBook('the book has lost its totals');
    this.#run('UPDATE stop SET clean = 0');
    this.#db.exec('PRAGMA synchronous = NORMAL');
    return { bytes: total.bytes, blobs: total.blobs, clean: total.clean === 1 };
  }

  /** `clean`: the ledger is what is on disk. */
  close(clean: boolean): void {
    if (clean) this.#run('UPDATE stop SET clean = 1');
    this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#db.close();
  }

  /** Lets go of the files, whatever is in them. */
  abandon(): void {
    try {
      this.#db.close();
    } catch {
      // There was nothing to save.
    }
  }

  // The ledger.

  /** Answers with the size that the blob had. */
  put({ digest, size, usedAt, checkedAt }: Stored): Before {
    const before = this.sizeOf(digest);
    this.#run(
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
    if (before !== undefined) this.#run('DELETE FROM blob WHERE digest = ?', digest);
    return { before };
  }

  /** Undefined: there is no such row. */
  sizeOf(digest: Digest): number | undefined {
    return (this.#one('SELECT size FROM blob WHERE digest = ?', digest) as Row<'size'> | undefined)?.size;
  }

  touch(used: ReadonlyMap<Digest, number>): void {
    for (const [digest, at] of used) this.#run('UPDATE blob SET used_at = ? WHERE digest = ?', Math.trunc(at), digest);
  }

  /** Least recently used first; goes on behind `after`. */
  oldest(after: Entry | undefined, count: number): Entry[] {
    return this.#prepare(
      `SELECT digest, size, used_at AS usedAt FROM blob WHERE (used_at, digest) > (?, ?) ORDER BY used_at, digest LIMIT ?`,
    ).all(after?.usedAt ?? -1, after?.digest ?? '', count) as unknown as Entry[];
  }

  /** First those that a clock which was ahead of `now` has marked: nobody knows when they were checked. */
  leastChecked(now: number): Checked | undefined {
    const first =
      'SELECT digest, checked_at AS checkedAt FROM blob WHERE checked_at > ? ORDER BY checked_at, digest LIMIT 1';
    return (this.#one(first, Math.trunc(now)) ?? this.#one(first, -1)) as Checked | undefined;
  }

  checked(digest: Digest, at: number): true {
    this.#run('UPDATE blob SET checked_at = ? WHERE digest = ?', Math.trunc(at), digest);
    return true;
  }

  /** All whose digest begins so. */
  beginning(prefix: string): Listed[] {
    const rows = this.#prepare('SELECT digest, size FROM blob WHERE digest >= ? AND digest < ?');
    return rows.all(prefix, `${prefix}~`) as unknown as Listed[];
  }

  // Pointers, standings, verdicts.

  pointer(repository: string, name: string): Pointer | undefined {
    const row = this.#one(
      `SELECT digest, media_type AS mediaType, size, checked_at AS checkedAt FROM pointer
       WHERE ${ofRepository} AND name = ?`,
      repository,
      name,
    ) as (Descriptor & Row<'checkedAt'>) | undefined;
    return row && { descriptor: descriptorOf(row), checkedAt: row.checkedAt };
  }

  point(repository: string, name: string, pointer: Pointer | undefined): void {
    if (pointer === undefined) {
      return this.#run(`DELETE FROM pointer WHERE ${ofRepository} AND name = ?`, repository, name);
    }
    const { digest, mediaType, size } = pointer.descriptor;
    this.#run(
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
    const row = this.#one(
      `SELECT digest, media_type AS mediaType, size FROM standing WHERE ${ofRepository} AND digest = ?`,
      repository,
      digest,
    ) as Descriptor | undefined;
    return row && descriptorOf(row);
  }

  link(repository: string, { digest, mediaType, size }: Descriptor): void {
    this.#run(
      'INSERT OR REPLACE INTO standing (repository, digest, media_type, size) VALUES (?, ?, ?, ?)',
      this.#intern(repository),
      digest,
      mediaType,
      size,
    );
  }

  disown(repository: string, digest: Digest): void {
    this.#run(`DELETE FROM standing WHERE ${ofRepository} AND digest = ?`, repository, digest);
  }

  verdict(repository: string): Verdict | undefined {
    return this.#one(`SELECT as_of AS asOf FROM verdict WHERE ${ofRepository}`, repository) as Verdict | undefined;
  }

  judge(repository: string, verdict: Verdict | undefined): void {
    if (verdict === undefined) return this.#run(`DELETE FROM verdict WHERE ${ofRepository}`, repository);
    const asOf = Math.trunc(verdict.asOf);
    this.#run('INSERT OR REPLACE INTO verdict (repository, as_of) VALUES (?, ?)', this.#intern(repository), asOf);
  }

  /**
   * Forgets what is of no use any more in the next `count` repositories behind `after`: standings of what is not stored (the
   * price is one HEAD), pointers and verdicts from before `since`, and a repository of which nothing is left.
   * Answers with the last of them; undefined: there are no more.
   */
  tidy(after: number, count: number, since: number): number | undefined {
    const rows = this.#prepare('SELECT id FROM repository WHERE id > ? ORDER BY id LIMIT ?').all(after, count);
    const ids = rows.map(({ id }) => id as number);
    for (const id of ids) {
      this.#run(
        'DELETE FROM standing WHERE repository = ? AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.digest = standing.digest)',
        id,
      );
      this.#run('DELETE FROM pointer WHERE repository = ? AND checked_at < ?', id, since);
      this.#run('DELETE FROM verdict WHERE repository = ? AND as_of < ?', id, since);
      this.#run(
        `DELETE FROM repository WHERE id = ?1
         AND NOT EXISTS (SELECT 1 FROM standing WHERE repository = ?1)
         AND NOT EXISTS (SELECT 1 FROM pointer WHERE repository = ?1)
         AND NOT EXISTS (SELECT 1 FROM verdict WHERE repository = ?1)`,
        id,
      );
    }
    return ids.at(-1);
  }

  /** Only for what is written there: nothing is left of a repository that was never public. */
  #intern(repository: string): number {
    this.#run('INSERT OR IGNORE INTO repository (key) VALUES (?)', repository);
    return (this.#one('SELECT id FROM repository WHERE key = ?', repository) as Row<'id'>).id;
  }
}

function descriptorOf({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
