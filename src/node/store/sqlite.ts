// node:sqlite under one name: what was called DatabaseSync is called Database from Node 26.11 on.
import * as sqlite from 'node:sqlite';

type Constructor = typeof sqlite.DatabaseSync;
const names: { readonly Database?: Constructor; readonly DatabaseSync: Constructor } = sqlite;

export const Database: Constructor = names.Database ?? names.DatabaseSync;
export type Database = InstanceType<Constructor>;
export type Statement = ReturnType<Database['prepare']>;

/** SQLite's primary result code (https://sqlite.org/rescode.html), if the error came from there. */
export function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined;
}

export const busy = 5;
export const ioError = 10;
/** ERROR (a schema that is not ours), CORRUPT, CANTOPEN, NOTADB. Not among them: a full disk, which passes. */
export const unreadable: ReadonlySet<number | undefined> = new Set([1, 11, 14, 26]);
export const corrupt: ReadonlySet<number | undefined> = new Set([11, 26]);
