// A disk that fails under a running mirror: pulls go on past it, and storing goes on when it is well again.
import assert from 'node:assert/strict';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { after, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type World, minute, world } from '../core/mirror/world.ts';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { type Layer, image, layerOf } from '../fakes/registry/content.ts';
import { Gate } from '../fakes/registry/gate.ts';
import { size } from './fault-cases.ts';
import { Client } from './fault-clients.ts';
import { nothingLeft } from './fault-left.ts';
import { SmallDisk, needMounts } from './small-disk.ts';

interface Scene {
  readonly all: World;
  readonly disk: SmallDisk;
}

async function scene(): Promise<Scene> {
  const disk = await SmallDisk.mount(16 << 20);
  const all = await world({ dir: disk.data });
  after(() => disk.unmount());
  all.registry.hold('library/faults', image(), '1');
  assert.equal((await all.get('/v2/faults/manifests/1')).status, 200);
  // It is stored behind the pull's back.
  while (!all.events.some(({ kind }) => kind === 'stored')) await setImmediate();
  return { all, disk };
}

const pathOf = ({ digest }: Layer): string => `/v2/faults/blobs/${digest}`;

function layers({ all }: Scene, seed: number, count: number): { layer: Layer; bytes: Buffer }[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = randomBytes(seed * 100 + i, size);
    const layer = layerOf(bytes);
    all.registry.holdBlob('library/faults', layer);
    return { layer, bytes };
  });
}

/** Pulls whose head was not out yet when the disk failed. */
async function pass(given: Scene, seed: number, count: number): Promise<void> {
  const { all } = given;
  const wanted = layers(given, seed, count);
  const answers = await Promise.all(wanted.map(({ layer }) => all.get(pathOf(layer))));
  for (const [i, { status, body }] of answers.entries()) {
    assert.equal(status, 200);
    assert.ok(body.equals(wanted[i]?.bytes ?? Buffer.of()));
  }
  await all.settled();
}

/** What is pulled from now on is kept. `leftover`: what could not be removed stays until the next start. */
async function resumes(given: Scene, seed: number, leftover = false): Promise<void> {
  const { all } = given;
  all.clock.forward(minute);
  const [one] = layers(given, seed, 1);
  assert.ok(one !== undefined);
  assert.equal((await all.get(pathOf(one.layer))).status, 200);
  await all.settled();
  assert.equal((await all.get(pathOf(one.layer))).headers['cache-status'], 'sampan; hit');
  await nothingLeft(all, !leftover);
  assert.ok(!all.events.some(({ kind }) => kind === 'bug'));
  assert.deepEqual(told(given), over);
}

/** Fills that have half of their bytes when `fail` comes over the disk. True for those who got all. */
async function failMidway(given: Scene, seed: number, count: number, fail: () => unknown): Promise<boolean[]> {
  const { all } = given;
  const gate = new Gate();
  const wanted = layers(given, seed, count);
  const ours = new Set(wanted.map(({ layer }) => layer.digest));
  all.registry.levers.bend = (_asked, digest) => (ours.has(digest) ? { hold: { at: size / 2, gate } } : undefined);
  const clients = wanted.map(({ layer }) => new Client(all, pathOf(layer), undefined));
  await gate.reached(count);
  await Promise.all(clients.map(({ answered }) => answered));
  await fail();
  gate.open();
  await Promise.all(clients.map(({ over }) => over));
  await all.settled();
  all.registry.levers.bend = undefined;
  for (const [i, client] of clients.entries()) {
    const bytes = wanted[i]?.bytes ?? Buffer.of();
    assert.ok(client.bytes.equals(bytes.subarray(0, client.bytes.length)));
  }
  return Promise.all(clients.map((client) => client.whole()));
}

/** What the log says of it: one sentence when it begins, and one when it is over. */
function told({ all }: Scene): readonly string[] {
  return all.events.flatMap((event) =>
    event.kind === 'trouble' || event.kind === 'recovered' ? [`${event.kind}: ${event.where}`] : [],
  );
}
const once = ['trouble: store'];
const over = [...once, 'recovered: store'];

describe('a disk', { skip: needMounts() }, () => {
  for (const count of [1, 5]) {
    for (const left of [0, 8192, size / 2]) {
      it(`with ${left} bytes left is passed by, and used again when it has room (${count} at once)`, async () => {
        const given = await scene();
        given.disk.fill(left);
        given.all.asked();
        await pass(given, 1, count);
        await pass(given, 2, count);
        assert.equal(given.all.asked().length, 2 * count, 'nobody is asked for what there is no room for');
        assert.deepEqual(told(given), once);
        given.disk.empty();
        await resumes(given, 3);
      });
    }

    it(`that fills up during a fill takes nothing from who reads it (${count} at once)`, async () => {
      const given = await scene();
      const whole = await failMidway(given, 1, count, () => given.disk.fill(0));
      assert.deepEqual(whole, Array(count).fill(true));
      assert.deepEqual(told(given), once);
      assert.equal(given.all.store.usage().reserved, 0);
      await pass(given, 2, count);
      given.disk.empty();
      await resumes(given, 3);
    });

    it(`that becomes read-only is passed by, and used again when it is not (${count} at once)`, async () => {
      const given = await scene();
      given.disk.makeReadOnly();
      await pass(given, 1, count);
      assert.deepEqual(told(given), once);
      given.disk.makeWritable();
      await resumes(given, 2);
    });

    it(`that becomes read-only during a fill takes nothing from who reads it (${count} at once)`, async () => {
      const given = await scene();
      const whole = await failMidway(given, 1, count, () => given.disk.makeReadOnly());
      assert.deepEqual(whole, Array(count).fill(true));
      given.disk.makeWritable();
      await resumes(given, 2, true);
    });

    it(`that cannot write any more is passed by, and used again when it can (${count} at once)`, async (t) => {
      const given = await scene();
      const root = await open(given.disk.data);
      const handles = Object.getPrototypeOf(root) as FileHandle;
      await root.close();
      const error = Object.assign(new Error('i/o error'), { code: 'EIO' });
      const failing = t.mock.method(handles, 'sync', () => Promise.reject(error));
      await pass(given, 1, count);
      assert.deepEqual(told(given), once);
      failing.mock.restore();
      await resumes(given, 2);
    });

    it(`whose data directory is deleted is passed by (${count} at once)`, async () => {
      const given = await scene();
      await rm(given.disk.data, { recursive: true });
      await pass(given, 1, count);
      // The first of them has made it anew.
      assert.deepEqual(told(given), over);
      await resumes(given, 2);
    });

    it(`whose data directory is deleted during a fill takes nothing from who reads it (${count} at once)`, async () => {
      const given = await scene();
      const whole = await failMidway(given, 1, count, () => rm(given.disk.data, { recursive: true }));
      assert.deepEqual(whole, Array(count).fill(true));
      assert.deepEqual(told(given), once);
      await pass(given, 2, count);
      await resumes(given, 3);
    });
  }

  for (const [how, fail] of [
    ['fills up', (disk: SmallDisk) => disk.fill(0)],
    ['becomes read-only', (disk: SmallDisk) => disk.makeReadOnly()],
  ] as const) {
    it(`that ${how} while a blob is continued takes nothing from who reads it`, async () => {
      const given = await scene();
      const { all, disk } = given;
      const bytes = randomBytes(900, 6_000_000);
      const layer = layerOf(bytes);
      all.registry.holdBlob('library/faults', layer);
      all.registry.levers.bend = () => ({ breaks: { at: 4_500_000, how: 'cut' } });
      const broken = new Client(all, pathOf(layer), undefined);
      await broken.over;
      await all.settled();
      assert.ok(all.store.usage().reserved > 4_000_000);
      const gate = new Gate();
      all.registry.levers.bend = () => ({ hold: { at: 5_000_000, gate } });
      const client = new Client(all, pathOf(layer), undefined);
      await Promise.all([gate.reached(), client.has(4_600_000)]);
      fail(disk);
      gate.open();
      await client.over;
      assert.ok(client.bytes.equals(bytes));
      await all.settled();
      assert.deepEqual(told(given), once);
      all.registry.levers.bend = undefined;
      disk.empty();
      disk.makeWritable();
      await resumes(given, 3, true);
    });
  }
});
