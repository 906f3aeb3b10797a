// What a store is told while it is open: another limit, another pace.
import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { NoRoom } from '../../../src/core/mirror/ports.ts';
import { discard } from '../../../src/core/mirror/reply.ts';
import { digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { openFresh, type Opened, until } from './opening.ts';

async function add({ store, clock }: Opened, seed: number): Promise<void> {
  clock.time += 1;
  const bytes = someBytes(100, seed);
  await store.blobs.fill(digestOf(bytes), [sourceOf(bytes)], bytes.length).done;
}

it('a limit that is lowered makes room at once, and a higher one gives it', async (t) => {
  const opened = await openFresh(t, 400);
  const { store, events } = opened;
  for (const seed of [1, 2, 3, 4]) await add(opened, seed);
  store.adjust({ limit: 200 });
  await until(() => store.usage().bytes <= 200);
  const evicted = events.flatMap((event) => (event.kind === 'evicted' ? [event.digest] : []));
  assert.deepEqual(evicted, [digestOf(someBytes(100, 1)), digestOf(someBytes(100, 2))]);
  assert.deepEqual(store.usage(), { bytes: 200, reserved: 0, blobs: 2, limit: 200 });
  store.adjust({ limit: 300 });
  await add(opened, 5);
  assert.equal(store.usage().blobs, 3);
});

it('a limit below what is being read takes nothing from anybody, and holds for what comes', async (t) => {
  const opened = await openFresh(t, 400);
  const { store } = opened;
  await add(opened, 1);
  const content = await store.blobs.open(digestOf(someBytes(100, 1)));
  store.adjust({ limit: 50 });
  await assert.rejects(add(opened, 2), (error) => error instanceof NoRoom && error.reason === 'too-large');
  assert.equal(store.usage().bytes, 100);
  await discard(content!.body);
});

it('what is at rest is looked through as soon as that is wanted', async (t) => {
  const opened = await openFresh(t);
  const { store, dir, clock, events } = opened;
  await add(opened, 1);
  await store.settled;
  const path = (await readdir(dir, { recursive: true })).find((name) => /[0-9a-f]{64}$/.test(name));
  await writeFile(join(dir, path!), someBytes(100, 2));
  clock.time += 86_400_000;
  store.adjust({ limit: undefined, scrubEvery: 3_600_000 });
  await until(() => store.usage().blobs === 0);
  assert.deepEqual(
    events.flatMap((event) => (event.kind === 'bad-blob' ? [event.found] : [])),
    ['scrubbing'],
  );
  await store.close();
});
