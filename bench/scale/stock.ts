// A data directory as years of pulls would leave it: rows in the book, and a file for each blob, of the right size and without a byte.
import { closeSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anybodys } from '../../src/core/mirror/origin.ts';
import { BookTables } from '../../src/node/store/book-tables.ts';
import { Database } from '../../src/node/store/sqlite.ts';

export interface Stock {
  readonly blobs: number;
  readonly tags: number;
}

/** Bytes of each blob; the disk has none of them. */
export const size = 1e6;
/** Of the blobs; each has as many as any other. */
export const repositories = 1000;

const registry = 'docker.io';
const format = 'sampan 1\n';

/** Any number's, without order: the multiplier is odd, so none has another's. */
export function hexOf(index: number): string {
  const eight = ((index * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0');
  return eight.repeat(8);
}

export function repositoryOf(index: number): string {
  return `library/r${index % repositories}`;
}

/** Where the blob of that number lies below the data directory. */
export function fileOf(index: number): string {
  const hex = hexOf(index);
  return join('blobs', 'sha256', hex.slice(0, 2), hex);
}

/** As after a clean stop; everything came in nobody's name, and was looked at just now. */
export async function stock(directory: string, { blobs, tags }: Stock): Promise<void> {
  mkdirSync(directory, { mode: 0o700 });
  await writeFile(join(directory, 'format'), format);
  for (let shard = 0; shard < 256; shard++) {
    mkdirSync(join(directory, 'blobs', 'sha256', shard.toString(16).padStart(2, '0')), { recursive: true });
  }
  for (let index = 0; index < blobs; index++) {
    const file = openSync(join(directory, fileOf(index)), 'wx', 0o600);
    ftruncateSync(file, size);
    closeSync(file);
  }
  write(join(directory, 'book.sqlite'), blobs, tags);
}

/** In the order of the numbers, so that the pages are as full as chance fills them. */
function write(path: string, blobs: number, tags: number): void {
  new BookTables(path).close(true);
  const sql = new Database(path);
  const now = Date.now();
  sql.exec(`
    PRAGMA cache_size = -1000000;
    PRAGMA synchronous = OFF;
    BEGIN;
    CREATE TEMP TABLE n AS
      WITH RECURSIVE number(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM number WHERE i + 1 < ${Math.max(blobs, tags)})
      SELECT i, 'sha256:' || replace(hex(zeroblob(4)) || hex(zeroblob(4)), '00', printf('%08x', i * 2654435761 % 4294967296)) AS digest
      FROM number;
    INSERT INTO blob (digest, size, used_at, checked_at) SELECT digest, ${size}, ${now} - 86400000 + i, ${now} FROM n WHERE i < ${blobs};
    INSERT INTO repository (id, key) SELECT i + 1, '${registry}/library/r' || i FROM n WHERE i < ${repositories};
    INSERT INTO verdict (repository, as_of) SELECT i + 1, ${now} FROM n WHERE i < ${repositories};
    INSERT INTO standing (repository, digest, media_type, size)
      SELECT i % ${repositories} + 1, digest, 'application/octet-stream', ${size} FROM n WHERE i < ${blobs};
    INSERT INTO repository (id, key) VALUES (${repositories + 1}, '${anybodys}/');
    INSERT INTO standing (repository, digest, media_type, size)
      SELECT ${repositories + 1}, digest, 'application/octet-stream', 0 FROM n WHERE i < ${blobs} ORDER BY digest;
    INSERT INTO pointer (repository, name, digest, media_type, size, checked_at)
      SELECT i % ${repositories} + 1, 't' || i, digest, 'application/vnd.oci.image.manifest.v1+json', ${size}, ${now} FROM n WHERE i < ${tags};
    COMMIT;
  `);
  sql.close();
}
