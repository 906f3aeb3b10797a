// The journal of a fill: what comes back of it, whatever a crash made of it and of the file that it is about.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import {
  Journal,
  type Journalled,
  parseJournal,
  stretchLength,
  type Stretch,
} from '../../../src/node/store/journal.ts';
import { collect, digestOf } from '../../conformance/blob-store.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { Fading, MiB, plant } from './half.ts';
import { directory, openAt } from './opening.ts';

const bytes = randomBytes(4, 6 * MiB);
const digest = digestOf(bytes);
const size = bytes.length;

async function begin(t: TestContext, lanes = 2) {
  const path = join(await directory(t), 'x.journal');
  const failures: unknown[] = [];
  const make = () => new Journal({ path, digest, size, origin: '*', lanes, failed: (error) => failures.push(error) });
  const read = () => readFile(path, 'latin1').then(parseJournal);
  return { path, journal: make(), make, read, failures };
}

function note(journal: Journal, start: number, end: number, step = 100_000): void {
  for (let at = start; at < end; at += step) journal.note(bytes.subarray(at, Math.min(end, at + step)), at);
}

function stretch(start: number, end: number): Stretch {
  return { start, end, crc: crc32(bytes.subarray(start, end)) };
}

it('tells what was written, a stretch of each connection at a time', async (t) => {
  const { journal, read } = await begin(t);
  for (let at = 0; at < 1_500_000; at += 100_000) {
    note(journal, at, at + 100_000);
    note(journal, 3_000_000 + at, 3_000_000 + at + 50_000, 50_000);
    note(journal, 3_050_000 + at, 3_100_000 + at, 50_000);
  }
  await journal.end();
  assert.deepEqual(await read(), {
    digest,
    size,
    origin: '*',
    stretches: [
      stretch(0, 1_100_000),
      stretch(1_100_000, 1_500_000),
      stretch(3_000_000, 4_050_000),
      stretch(4_050_000, 4_500_000),
    ],
  });
  assert.ok(1_100_000 - stretchLength < 100_000);
});

it('has written down a connection that ended when as many others have begun', async (t) => {
  const { journal, read } = await begin(t, 2);
  for (const start of [0, 1_000_000, 2_000_000, 3_000_000]) note(journal, start, start + 500);
  // Nobody ends it, as in a crash.
  let told: readonly Stretch[] = [];
  while (told.length < 2) told = (await read().catch(() => undefined))?.stretches ?? [];
  assert.deepEqual(told, [stretch(0, 500), stretch(1_000_000, 1_000_500)]);
  await journal.end();
});

it('goes on after another, and believes the later word', async (t) => {
  const { journal, make, read, path } = await begin(t);
  note(journal, 0, 3000, 1000);
  await journal.end();
  const torn = (await readFile(path, 'latin1')).slice(0, -5);
  await writeFile(path, torn);
  const second = make();
  note(second, 5000, 6000);
  await second.end();
  assert.deepEqual((await read())?.stretches, [stretch(5000, 6000)]);
  const third = make();
  note(third, 5500, 7000, 1500);
  await third.end();
  assert.deepEqual((await read())?.stretches, [stretch(5500, 7000)]);
});

it('makes no file for nothing, and tells once that it cannot be written', async (t) => {
  const { journal, path } = await begin(t);
  await journal.end();
  await assert.rejects(readFile(path), { code: 'ENOENT' });
  const failures: unknown[] = [];
  const nowhere = new Journal({
    path: `${path}/no`,
    digest,
    size,
    origin: '*',
    lanes: 1,
    failed: (error) => failures.push(error),
  });
  note(nowhere, 0, 1000);
  note(nowhere, 2000, 3000);
  await nowhere.end();
  note(nowhere, 4000, 5000);
  await nowhere.end();
  assert.equal(failures.length, 1);
});

it('says nothing at all if it does not say of what it is', () => {
  for (const text of ['', '\n', 'blob', `blob ${digest} ${size} 00000000\n`, 'at 0 5 00000000 00000000\n']) {
    assert.equal(parseJournal(text), undefined);
  }
});

const damage = fc.record({
  what: fc.constantFrom('cut', 'flip', 'zero'),
  where: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  length: fc.integer({ min: 1, max: 9000 }),
});

function damaged(all: Buffer, { what, where, length }: { what: string; where: number; length: number }): Buffer {
  const at = Math.floor(where * all.length);
  if (what === 'cut') return all.subarray(0, at);
  const copy = Buffer.from(all);
  if (what === 'flip') copy[at] = (copy[at] ?? 0) ^ (1 << (length % 8));
  else copy.fill(0, at, Math.min(copy.length, at + length));
  return copy;
}

it('never tells what was not written, whatever became of it', async (t) => {
  const { journal, read, path } = await begin(t);
  note(journal, 0, 2_200_000);
  note(journal, 4_000_000, 4_100_000);
  await journal.end();
  const whole = (await read())?.stretches ?? [];
  const text = await readFile(path);
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 3 }), (damages) => {
      const left = parseJournal(damages.reduce(damaged, text).toString('latin1'));
      if (left === undefined) return;
      assert.deepEqual([left.digest, left.size], [digest, size]);
      for (const { start, crc } of left.stretches) {
        assert.ok(whole.some((known) => known.start === start && known.crc === crc));
      }
    }),
    { seed: 2, numRuns: 2000 },
  );
});

/** Where a connection's way was shortened, one chunk of it may be under way; a few do that. */
const seams = 4 * 65_536;

it('leads to no wrong byte, whatever became of it and of the file', async (t) => {
  const cases = fc.tuple(
    fc.option(damage, { nil: undefined }),
    fc.option(damage, { nil: undefined }),
    fc.nat(size - 1),
    fc.integer({ min: 1, max: 2 * MiB }),
  );
  await fc.assert(
    fc.asyncProperty(cases, async ([ofJournal, ofFile, offset, length]) => {
      const dir = await directory(t);
      const part = await plant(dir, bytes, [
        [0, 2_500_000],
        [3_000_000, 5_000_000],
      ]);
      const journal = part.replace('.part', '.journal');
      if (ofFile) await writeFile(part, damaged(await readFile(part), ofFile));
      if (ofJournal) await writeFile(journal, damaged(await readFile(journal), ofJournal));
      const intact = intactIn(await readFile(part), parseJournal(await readFile(journal, 'latin1')));
      const { store } = await openAt(t, dir);
      const upstream = new Fading(bytes);
      const fill = store.blobs.fill(digest, [upstream.source]);
      const range = await fill.open({ kind: 'between', offset, last: offset + length - 1 });
      const [got, whole] = await Promise.all([collect(range), fill.open().then(collect)]);
      assert.ok(got.equals(bytes.subarray(offset, offset + length)));
      assert.ok(whole.equals(bytes));
      await fill.done;
      await store.close();
      const again = upstream.sent - (size - intact);
      assert.ok(again >= 0 && again <= seams, `${again} bytes of what is as it was were fetched again`);
    }),
    { seed: 3, numRuns: 30, endOnFailure: true },
  );
});

function intactIn(file: Buffer, told: Journalled | undefined): number {
  const lengths = (stretches: readonly Stretch[]) => stretches.reduce((sum, { start, end }) => sum + end - start, 0);
  const { stretches = [] } = told ?? {};
  if (lengths(stretches) < stretchLength) return 0;
  return lengths(stretches.filter(({ start, end, crc }) => crc32(file.subarray(start, end)) === crc));
}
