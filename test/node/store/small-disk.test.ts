// A disk that is smaller than the budget: room is made there too, and never promised twice.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Fill, NoRoom } from '../../../src/core/mirror/ports.ts';
import { keptFree } from '../../../src/node/store/free-space.ts';
import { digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { needMounts } from '../../lab/small-disk.ts';
import { Faucet } from './faucet.ts';
import { openAt, type Opened } from './opening.ts';

const size = 4 << 20;
/** More than the disk has. */
const limit = 50e9;

async function openOnSmallDisk(t: TestContext): Promise<Opened> {
  const mounted = await mkdtemp(join(tmpdir(), 'sampan-small-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', mounted]);
  t.after(async () => {
    execFileSync('umount', ['--lazy', mounted]);
    await rm(mounted, { recursive: true });
  });
  return openAt(t, join(mounted, 'data'), limit);
}

async function add({ store, clock }: Opened, seed: number, length = 700_000): Promise<void> {
  clock.time += 1;
  const bytes = someBytes(length, seed);
  await store.blobs.fill(digestOf(bytes), [sourceOf(bytes, 65_536)], length).done;
}

const isFull = (error: unknown): boolean => error instanceof NoRoom && error.reason === 'full';

it('keeps some of every disk free, and no more than a tenth of a small one', () => {
  assert.deepEqual([1e9, 20e9, 100e9].map(keptFree), [100e6, 256e6, 1e9]);
});

describe('on a disk smaller than the limit', { skip: needMounts() }, () => {
  it('evicts what was not used for the longest, and no more than it must', async (t) => {
    const opened = await openOnSmallDisk(t);
    for (let seed = 1; seed <= 8; seed += 1) await add(opened, seed);
    const evicted = opened.events.flatMap((event) => (event.kind === 'evicted' ? [event.digest] : []));
    const first = Array.from({ length: evicted.length }, (_, index) => digestOf(someBytes(700_000, index + 1)));
    assert.deepEqual(evicted, first);
    assert.equal(opened.store.usage().blobs, 8 - evicted.length);
    assert.ok(evicted.length >= 3 && evicted.length <= 5, `${evicted.length} evicted`);
    assert.deepEqual(
      opened.events.filter(({ kind }) => kind === 'trouble'),
      [],
    );
  });

  it('does not promise to one fill what another has still to write', async (t) => {
    const { store, events } = await openOnSmallDisk(t);
    const blobs = [1, 2, 3].map((seed) => someBytes(1_500_000, seed));
    const faucets = blobs.map((bytes) => new Faucet(bytes.length));
    const fills: Fill[] = [];
    for (const [index, bytes] of blobs.entries()) {
      const fill = store.blobs.fill(digestOf(bytes), [faucets[index]!.source]);
      fills.push(fill);
      await fill.size.catch(() => undefined);
    }
    const heads = await Promise.allSettled(fills.map((fill) => fill.size));
    assert.deepEqual(
      heads.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected'],
    );
    for (const [index, bytes] of blobs.slice(0, 2).entries()) {
      void faucets[index]!.send(bytes);
      faucets[index]!.end();
    }
    await Promise.all(fills.slice(0, 2).map((fill) => fill.done));
    await assert.rejects(fills[2]!.done, isFull);
    assert.deepEqual(
      events.flatMap((event) => (event.kind === 'trouble' ? [event.doing] : [])),
      ['making room'],
    );
  });

  it('counts what a running fill has written once', async (t) => {
    const opened = await openOnSmallDisk(t);
    const bytes = someBytes(2_000_000, 1);
    const faucet = new Faucet(bytes.length);
    const fill = opened.store.blobs.fill(digestOf(bytes), [faucet.source]);
    await faucet.send(bytes.subarray(0, 1_900_000));
    await add(opened, 2, 1_000_000);
    void faucet.send(bytes.subarray(1_900_000));
    faucet.end();
    await fill.done;
  });

  it('looks before it goes on with a blob of unknown size', async (t) => {
    const { store, events } = await openOnSmallDisk(t);
    const faucet = new Faucet(undefined);
    const fill = store.blobs.fill(digestOf(someBytes(10)), [faucet.source]);
    await assert.rejects(fill.size, isFull, 'the first step is more than there is');
    assert.deepEqual(
      events.flatMap((event) => (event.kind === 'trouble' ? [event.doing] : [])),
      ['making room'],
    );
  });

  it('takes nothing in, and evicts nothing in vain, when others have filled the disk', async (t) => {
    const opened = await openOnSmallDisk(t);
    await add(opened, 1);
    await writeFile(join(opened.dir, '../other'), Buffer.alloc(3_200_000));
    await assert.rejects(add(opened, 2, 1_000_000), isFull);
    assert.equal(opened.store.usage().blobs, 1);
  });
});
