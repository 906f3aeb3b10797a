// kill -9 in the middle of a blob, fifty times: the next pull is right, and fetches hardly more than what was missing.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { stretchLength } from '../../src/node/store/journal.ts';
import { openStore } from '../../src/node/store/store.ts';
import { collect } from '../conformance/blob-store.ts';
import { Fading, spoil } from '../node/store/half.ts';
import { StillClock } from '../node/store/opening.ts';
import { numbers } from './crash-child.ts';
import { moments } from './crash-points.ts';
import { runAndKill } from './crash-run.ts';
import { blobOf, lanes, size } from './half-child.ts';

const directories = 5;
const killsEach = 10;
const chunk = 65_536;
/** A stretch that each connection has not come to the end of, and one that is on its way into the journal. */
const mostLost = 2 * lanes * (stretchLength + chunk);

it('continues what a kill broke off', async () => {
  let kills = 0;
  let continued = 0;
  const inEach = Array.from({ length: directories }, async (_, index) => {
    const dir = await mkdtemp(join(tmpdir(), 'sampan-half-'));
    try {
      for (let turn = 0; turn < killsEach; turn += 1) {
        const seed = index * killsEach + turn;
        const random = numbers(seed + 2000);
        // Some twice, so that what continues is killed too.
        for (let times = seed % 5 === 0 ? 2 : 1; times > 0; times -= 1) {
          if (await runAndKill('half-child.ts', dir, seed, draw(random))) kills += 1;
        }
        if ((await inspect(dir, seed, random)) > 0) continued += 1;
      }
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
  await Promise.all(inEach);
  assert.ok(kills >= 50, `killed only ${kills} times`);
  assert.ok(continued >= 25, `continued only ${continued} times`);
});

/** Mostly while it writes, to the file or to the journal; else when all is here and not yet in its place. */
function draw(random: Iterator<number, never>): string {
  const [which, nth, moment] = [random.next().value, random.next().value, random.next().value];
  const point = which % 5 === 0 ? ['sync:1', 'rename:1'][nth % 2] : `write:${1 + (nth % 200)}`;
  return `${point}:${moments[moment % moments.length]}`;
}

/** Pulls what was broken off; answers how many bytes of it had been kept. */
async function inspect(dir: string, seed: number, random: Iterator<number, never>): Promise<number> {
  const { bytes, digest } = blobOf(seed);
  const part = await partIn(dir);
  const powerLoss = part !== undefined && seed % 5 === 4;
  if (powerLoss) await losePower(part, random);
  const here = part === undefined ? 0 : Math.min(size, (await stat(part)).blocks * 512);
  const events: { kind: string }[] = [];
  const store = await openStore({
    dir,
    limit: undefined,
    clock: new StillClock(),
    report: (event) => events.push(event),
  });
  try {
    if ((await store.blobs.stat(digest)) !== undefined) return 0;
    const upstream = new Fading(bytes);
    const fill = store.blobs.fill(digest, [upstream.source], undefined, lanes);
    assert.ok((await collect(await fill.open())).equals(bytes), `seed ${seed}`);
    await fill.done;
    const again = upstream.sent - (size - here);
    assert.ok(powerLoss || again <= mostLost, `seed ${seed}: ${again} bytes were fetched again, of ${here}`);
    assert.deepEqual(await readdir(join(dir, 'incoming')), [], `seed ${seed}`);
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['stored'],
    );
    await store.blobs.delete(digest);
    return size - upstream.sent;
  } finally {
    await store.close();
  }
}

async function partIn(dir: string): Promise<string | undefined> {
  const incoming = join(dir, 'incoming');
  const names = await readdir(incoming).catch(() => []);
  const parts = names.filter((name) => name.endsWith('.part'));
  assert.ok(parts.length <= 1);
  return parts[0] && join(incoming, parts[0]);
}

/** What was not synced is gone, or never was more than zeros. */
async function losePower(part: string, random: Iterator<number, never>): Promise<void> {
  const { size: length } = await stat(part);
  if (length === 0) return;
  for (let pieces = 3; pieces > 0; pieces -= 1) {
    const start = random.next().value % length;
    await spoil(part, [start, Math.min(length, start + (random.next().value % 2_000_000) + 1)]);
  }
  if (random.next().value % 2 === 0) await truncate(part, random.next().value % length);
}
