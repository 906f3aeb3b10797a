// kill -9, fifty times, inside writing, fsync, rename, eviction and the book's commit: no wrong byte is ever served afterwards.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { isDigest } from '../../src/core/oci/digest.ts';
import { openStore } from '../../src/node/store/store.ts';
import { collect, digestOf } from '../conformance/blob-store.ts';
import { bytesBelow, StillClock } from '../node/store/opening.ts';
import { blobs, descriptorOf, isProven, limit, numbers, repository } from './crash-child.ts';
import { type Kind, kinds, moments } from './crash-points.ts';
import { runAndKill } from './crash-run.ts';

const directories = 5;
const killsEach = 10;
/** About how often each is called in one run of the child. */
const mostCalls: Readonly<Record<Kind, number>> = { write: 60, sync: 40, rename: 15, unlink: 12, commit: 60 };

it('survives being killed at any instant', async () => {
  const hits = new Map<Kind, number>(kinds.map((kind) => [kind, 0]));
  const inEach = Array.from({ length: directories }, async (_, index) => {
    const dir = await mkdtemp(join(tmpdir(), 'sampan-crash-'));
    try {
      // The same directory again and again, so that damage would add up.
      for (let turn = 0; turn < killsEach; turn += 1) {
        const seed = index * killsEach + turn;
        const [kind, point] = draw(seed);
        if (await runAndKill('crash-child.ts', dir, seed, point)) hits.set(kind, hits.get(kind)! + 1);
        await inspect(dir, `seed ${seed}, ${point}`);
      }
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
  await Promise.all(inEach);
  const total = [...hits.values()].reduce((sum, count) => sum + count, 0);
  for (const [kind, count] of hits) assert.ok(count >= 5, `killed only ${count} times in ${kind}`);
  assert.ok(total >= 40, `killed only ${total} times`);
});

function draw(seed: number): readonly [Kind, string] {
  const random = numbers(seed + 1000);
  const kind = kinds[seed % kinds.length]!;
  const nth = 1 + (random.next().value % mostCalls[kind]);
  return [kind, `${kind}:${nth}:${moments[random.next().value % moments.length]}`];
}

async function inspect(dir: string, when: string): Promise<void> {
  const onDisk = await bytesBelow(join(dir, 'blobs')).catch(() => 0);
  const events: unknown[] = [];
  const options = { dir, limit, clock: new StillClock(), report: (event: unknown) => events.push(event) };
  const store = await openStore(options);
  try {
    assert.ok(onDisk <= limit, `${when}: ${onDisk} bytes on disk`);
    assert.ok(store.usage().bytes >= onDisk, `${when}: ${store.usage().bytes} counted, ${onDisk} on disk`);
    assert.deepEqual(await readdir(join(dir, 'incoming')), [], when);
    await store.settled;
    assert.equal(store.usage().bytes, onDisk, when);
    const names = await readdir(join(dir, 'blobs'), { recursive: true });
    const digests = names.map((name) => name.replace(/^(sha256|sha512)\/..\//, '$1:')).filter((name) => isDigest(name));
    assert.equal(store.usage().blobs, digests.length, when);
    for (const digest of digests) {
      const content = await store.blobs.open(digest);
      assert.ok(content, when);
      assert.equal(digestOf(await collect(content)), digest, when);
    }
    for (let index = 0; index < blobs; index += 1) {
      const descriptor = descriptorOf(index);
      const standing = await store.book.standing(repository, descriptor.digest);
      const pointer = await store.book.pointer(repository, `tag-${index}`);
      if (standing !== undefined) {
        assert.deepEqual([standing, isProven(index)], [descriptor, true], when);
      }
      if (pointer !== undefined) assert.deepEqual(pointer, { descriptor, checkedAt: index }, when);
    }
    assert.deepEqual(events, [], when);
  } finally {
    await store.close();
  }
}
