// The book's file: opened or begun, brought to the version of today, and closed. Synchronous: it lives in a thread of its own (book-worker.ts).
import { chmodSync } from 'node:fs';
import { fromVersion2, pragmas, schema, version } from './book-schema.ts';
import { Database, type Statement } from './sqlite.ts';

export type Row<Column extends string> = Readonly<Record<Column, number>>;

/** It is whole, but not ours. */
export class UnreadableBook extends Error {}

export class BookFile {
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
    const found = (this.one('PRAGMA user_version') as { user_version: number }).user_version;
    if (found === version) return;
    if (found !== 0 && found !== 2) throw new UnreadableBook(`the book is of version ${found}, not ${version}`);
    this.transact(() => this.#db.exec(found === 0 ? schema : fromVersion2));
  }

  protected prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#db.prepare(sql)));
    return statement;
  }

  protected one(sql: string, ...values: (string | number)[]): unknown {
    return this.prepare(sql).get(...values);
  }

  protected run(sql: string, ...values: (string | number)[]): void {
    this.prepare(sql).run(...values);
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
  #start(): BookFile['found'] {
    const total = this.one('SELECT bytes, blobs, clean FROM total, stop') as
      | Row<'bytes' | 'blobs' | 'clean'>
      | undefined;
    if (total === undefined) throw new UnreadableBook('the book has lost its totals');
    this.run('UPDATE stop SET clean = 0');
    this.#db.exec('PRAGMA synchronous = NORMAL');
    return { bytes: total.bytes, blobs: total.blobs, clean: total.clean === 1 };
  }

  /** `clean`: the ledger is what is on disk. */
  close(clean: boolean): void {
    if (clean) this.run('UPDATE stop SET clean = 1');
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
}
