// A disk that fails when the store is to be opened.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import { openSoonerOrLater } from '../../../src/node/store/late.ts';
import type { Store } from '../../../src/node/store/store.ts';
import { toldOnce } from '../../../src/node/store/troubles.ts';
import { digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { needMounts, SmallDisk } from '../../lab/small-disk.ts';
import { directory, openAt, StillClock, until } from './opening.ts';

const bytes = someBytes(1000);
const fill = ({ blobs }: Store) => blobs.fill(digestOf(bytes), [sourceOf(bytes)], bytes.length).done;

async function openLate(t: TestContext, dir: string): Promise<{ store: Store; told: () => string[] }> {
  const events: MirrorEvent[] = [];
  const clock = new StillClock();
  const store = await openSoonerOrLater({
    dir,
    limit: 10_000_000,
    clock,
    report: toldOnce((event) => events.push(event), clock),
  });
  t.after(() => store.close());
  const told = () => events.flatMap((event) => ('where' in event ? [`${event.where} ${event.kind}`] : []));
  return { store, told };
}

describe('a store', { skip: needMounts() }, () => {
  for (const [how, fail] of [
    ['read-only', (disk: SmallDisk) => disk.makeReadOnly()],
    ['full', (disk: SmallDisk) => disk.fill(0)],
  ] as const) {
    it(`on a disk that is ${how} when it is to be opened holds nothing, says so, and opens when it can`, async (t) => {
      const disk = await SmallDisk.mount(16 << 20);
      t.after(() => disk.unmount());
      await (await openAt(t, disk.data)).store.close();
      fail(disk);
      const { store, told } = await openLate(t, disk.data);
      assert.equal(await store.blobs.open(digestOf(bytes)), undefined);
      await assert.rejects(fill(store), /the store/);
      assert.ok(told().includes('store trouble'));
      disk.makeWritable();
      disk.empty();
      await until(() => told().includes('store recovered'));
      await fill(store);
      assert.equal(store.usage().blobs, 1);
    });
  }

  it('whose disk never gets well can be closed', async (t) => {
    const disk = await SmallDisk.mount(16 << 20);
    t.after(() => disk.unmount());
    await (await openAt(t, disk.data)).store.close();
    disk.makeReadOnly();
    const { store } = await openLate(t, disk.data);
    await store.close();
  });
});

it('is refused for what is no fault of the disk: a file in its place', async (t) => {
  const path = join(await directory(t), 'file');
  await writeFile(path, '');
  await assert.rejects(openLate(t, path), { code: 'ENOTDIR' });
});
