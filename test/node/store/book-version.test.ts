// A book that an earlier sampan has written is brought to what it would be now, with all that is in it.
import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { it } from 'node:test';
import { hexOf } from '../../../src/core/oci/digest.ts';
import { Database } from '../../../src/node/store/sqlite.ts';
import { digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { directory, openAt } from './opening.ts';

/** As version 2 had it. */
const version2 = `
  CREATE TABLE blob (
    digest TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    used_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blob_by_use ON blob (used_at, digest, size);
  CREATE TABLE total (bytes INTEGER NOT NULL, blobs INTEGER NOT NULL) STRICT;
  INSERT INTO total VALUES (0, 0);
  CREATE TRIGGER blob_added AFTER INSERT ON blob BEGIN
    UPDATE total SET bytes = bytes + new.size, blobs = blobs + 1;
  END;
  CREATE TRIGGER blob_dropped AFTER DELETE ON blob BEGIN
    UPDATE total SET bytes = bytes - old.size, blobs = blobs - 1;
  END;
  CREATE TRIGGER blob_resized AFTER UPDATE OF size ON blob BEGIN
    UPDATE total SET bytes = bytes - old.size + new.size;
  END;
  CREATE TABLE stop (clean INTEGER NOT NULL) STRICT;
  INSERT INTO stop VALUES (1);
  CREATE TABLE repository (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE pointer (
    repository INTEGER NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    checked_at INTEGER NOT NULL,
    PRIMARY KEY (repository, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE standing (
    repository INTEGER NOT NULL,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE verdict (repository INTEGER PRIMARY KEY, as_of INTEGER NOT NULL) STRICT;
  PRAGMA user_version = 2;
`;

it('goes on with a book of version 2', async (t) => {
  const dir = await directory(t);
  const path = join(dir, 'book.sqlite');
  const old = new Database(path);
  old.exec('PRAGMA journal_mode = WAL');
  old.exec(version2);
  const blobs = [1, 2].map((seed) => someBytes(100, seed));
  for (const [index, bytes] of blobs.entries()) {
    const digest = digestOf(bytes);
    old.prepare('INSERT INTO blob VALUES (?, 100, ?)').run(digest, index);
    const blob = join(dir, 'blobs/sha256', hexOf(digest).slice(0, 2), hexOf(digest));
    await mkdir(dirname(blob), { recursive: true });
    await writeFile(blob, bytes);
  }
  old.exec(
    "INSERT INTO repository VALUES (1, 'docker.io/library/nginx'); INSERT INTO verdict VALUES (1, 1700000000000)",
  );
  old.close();

  const opened = await openAt(t, dir);
  await opened.store.settled;
  assert.deepEqual(opened.events, []);
  assert.deepEqual([opened.store.usage().bytes, opened.store.usage().blobs], [200, 2]);
  assert.ok(await opened.store.book.verdict({ registry: 'docker.io', name: 'library/nginx' }));
  await opened.store.blobs.fill(digestOf(someBytes(50, 3)), [sourceOf(someBytes(50, 3))], 50).done;
  await opened.store.close();
  assert.deepEqual(
    (await readdir(dir)).filter((name) => name.includes('.bad-')),
    [],
  );

  const book = new Database(path);
  const rows = book.prepare('SELECT size, checked_at AS at FROM blob ORDER BY checked_at, digest').all();
  assert.deepEqual(
    rows.map(({ size, at }) => [size, at]),
    [
      [100, 0],
      [100, 0],
      [50, opened.clock.time],
    ],
  );
  const plan = book.prepare('EXPLAIN QUERY PLAN SELECT digest FROM blob ORDER BY checked_at, digest LIMIT 1').all();
  assert.match(String(plan[0]?.['detail']), /blob_by_check/);
  book.close();
});
