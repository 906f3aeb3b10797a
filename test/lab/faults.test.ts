// Everything that goes wrong while a blob is fetched, at every place, for every crowd: the mirror against what DESIGN promises.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Digest } from '../../src/core/oci/digest.ts';
import { minute } from '../core/mirror/world.ts';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { layerOf } from '../fakes/registry/content.ts';
import { Gate } from '../fakes/registry/gate.ts';
import type { Asked } from '../fakes/registry/listener.ts';
import { type Case, cases, faulty, kinds, size } from './fault-cases.ts';
import { Client, rangeOf } from './fault-clients.ts';
import { nothingLeft } from './fault-left.ts';
import { expected, isStored, mostBytes, mostRequests } from './fault-oracle.ts';
import { bytesReceived, manifest, repository, type Stage, stage } from './fault-stage.ts';

/** Where those who join or leave do so. */
const middle = size / 2;
/** What a reader of a fill may have while the digest is not known. */
const early = size - 64 * 1024;

async function play(staged: Stage, given: Case): Promise<void> {
  const { all, cdn, registries } = staged;
  staged.blobs += 1;
  // Whatever the case before has made somebody wait for is over, and who lied in it is asked first again.
  all.clock.forward(11 * minute);
  for (const { levers } of [...registries, cdn]) levers.bend = undefined;
  const bytes = randomBytes(staged.blobs, size);
  const layer = layerOf(bytes);
  const digest = layer.digest as Digest;
  const path = `/v2/${repository}/blobs/${digest}`;
  for (const registry of registries) registry.holdBlob(repository, layer);
  // As every client does first. It says that the repository is public, and nothing of the blob.
  assert.equal((await all.get(manifest)).status, 200);
  // Only of what has a size is it known that it ended too early.
  if (given.kind === 'ended too early') await all.head(path);

  all.events.length = 0;
  let requests = 0;
  const [stall, hold] = [new Gate(), new Gate()];
  const held = { at: middle, gate: hold };
  const meets = given.crowd !== '1 client' && given.crowd !== '20 clients';
  const counted = (bend: (asked: Asked) => object) => (asked: Asked, of: string) => {
    if (of !== digest) return undefined;
    requests += 1;
    return { ...bend(asked), ...(meets && { hold: held }) };
  };
  const [first, second] = registries;
  assert.ok(first !== undefined);
  const redirected = given.kind === 'refused redirect';
  first.levers.redirect = redirected ? cdn.url : undefined;
  (redirected ? cdn : first).levers.bend = counted(faulty(given, stall));
  if (second !== undefined) second.levers.bend = counted(() => ({}));

  const clients = await crowd(given, (range, leaves) => new Client(all, path, range, leaves), hold, stall);
  await Promise.all(clients.map(({ over }) => over));
  await all.settled();
  // The flight is forgotten a moment after its fill is over.
  await setImmediate();

  for (const client of clients) await judge(given, client, bytes);
  const received = bytesReceived(all);
  const fills = all.events.filter(({ kind }) => kind === 'fill').length;
  const most = fills * mostBytes(given);
  assert.ok(received <= most, `${received} bytes were received, more than ${most} (${fills} fills)`);
  assert.ok(requests <= mostRequests(given), `${requests} requests`);
  assert.equal(await all.store.blobs.stat(digest), isStored(given) ? size : undefined);
  await nothingLeft(all);

  // And all is well as soon as the upstream is: nothing of this is left over, neither here nor in the book.
  for (const { levers } of [...registries, cdn]) levers.bend = undefined;
  first.levers.redirect = undefined;
  all.clock.forward(2 * minute);
  const told = await all.get(path);
  await all.settled();
  assert.equal(told.status, 200);
  assert.ok(told.body.equals(bytes));
  assert.equal(told.headers['cache-status'], isStored(given) ? 'sampan; hit' : 'sampan; fwd=miss; stored');
  assert.ok(await all.store.blobs.check(digest));
  await nothingLeft(all);
  assert.deepEqual(
    all.events.splice(0).filter(({ kind }) => kind === 'bug' || kind === 'trouble'),
    [],
  );
  await all.store.blobs.delete(digest);
}

/** Whoever comes first, and whoever comes or leaves when half of the blob is here. */
async function crowd(
  { crowd: which, at }: Case,
  come: (range?: string, leaves?: boolean) => Client,
  hold: Gate,
  stall: Gate,
): Promise<readonly Client[]> {
  const many = { '20 clients': 20, 'one of two leaves': 2 } as const;
  const count = which === '20 clients' || which === 'one of two leaves' ? many[which] : 1;
  const leaves = (index: number) => which === 'all leave' || (which === 'one of two leaves' && index === 1);
  const clients = Array.from({ length: count }, (_, i) => come(count === 20 ? rangeOf(i) : undefined, leaves(i)));
  void breakStalled(stall, clients, at);
  if (which === '1 client' || which === '20 clients') return clients;
  const over = Promise.all(clients.map((client) => client.over));
  await Promise.race([hold.reached(), over]);
  const here = await Promise.race([hold.reached().then(() => true), over.then(() => false)]);
  if (which === 'one joins' && here) clients.push(come());
  await Promise.all(clients.map((client) => (client.leaves ? client.over : client.answered)));
  hold.open();
  return clients;
}

/** A stalled connection breaks when nobody can get more of what it has brought. */
async function breakStalled(stall: Gate, clients: readonly Client[], at: number): Promise<void> {
  for (let count = 1; ; count += 1) {
    await stall.reached(count);
    for (const client of clients) {
      if (client.asked === undefined && !client.leaves) await client.has(Math.min(at, early));
    }
    stall.pass(1);
  }
}

async function judge(given: Case, client: Client, bytes: Buffer): Promise<void> {
  const want = expected(given, client.asked);
  const reply = await client.answered;
  assert.equal(reply.status, want.status);
  if (want.body === 'none') return;
  const whole = await client.whole();
  const part = bytes.subarray(want.offset, want.offset + want.length);
  if (!client.leaves && want.body !== 'either') assert.equal(whole, want.body === 'whole');
  const { length } = client.bytes;
  assert.ok(length <= part.length);
  if (whole) assert.equal(length, want.length);
  // Who verifies for himself may see the wrong byte; so may who is cut off after it.
  const right = Buffer.from(part.subarray(0, length));
  const flipped = given.at - want.offset;
  if (given.kind === 'wrong bytes' && flipped >= 0 && flipped < length) right[flipped] = (right[flipped] ?? 0) ^ 1;
  assert.ok(client.bytes.equals(right), 'other bytes than those of the blob');
}

/** Of every body that runs to the end. */
async function holdBack({ all, registries }: Stage, range: string | undefined): Promise<void> {
  const bytes = randomBytes(range === undefined ? 9001 : 9002, size);
  const layer = layerOf(bytes);
  const gate = new Gate();
  for (const registry of registries) {
    registry.holdBlob(repository, layer);
    registry.levers.bend = (_asked, of) => (of === layer.digest ? { hold: { at: size - 1, gate } } : undefined);
  }
  const client = new Client(all, `/v2/${repository}/blobs/${layer.digest}`, range);
  await gate.reached();
  await client.has(early - 1000);
  for (let turn = 0; turn < 200; turn += 1) await setImmediate();
  const had = client.length;
  gate.open();
  await client.over;
  const start = range === undefined ? 0 : 1000;
  assert.ok(had <= early - start, `${had} of ${size - start} bytes before the digest is known`);
  assert.ok(client.bytes.equals(bytes.subarray(start)));
  await all.settled();
  for (const { levers } of registries) levers.bend = undefined;
}

const stages = { 1: await stage(1), 2: await stage(2) };

describe('a fetch that lacks one byte', () => {
  for (const range of [undefined, 'bytes=1000-']) {
    it(`gives the last bytes of ${range ?? 'the whole'} to nobody`, () => holdBack(stages[1], range));
  }
});

for (const endpoints of [1, 2] as const) {
  describe(`a fetch from ${endpoints === 1 ? 'one endpoint' : 'the first of two endpoints'}`, () => {
    for (const kind of kinds) {
      describe(`that meets: ${kind}`, () => {
        for (const given of cases(kind, endpoints)) {
          it(given.name, { timeout: 20_000 }, () => play(stages[endpoints], given));
        }
      });
    }
  });
}
