// Everything that befalls one connection of several that bring in a blob: the mirror against what DESIGN promises.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Digest } from '../../src/core/oci/digest.ts';
import { parseRange, resolveRange } from '../../src/core/oci/range.ts';
import { type World, minute, second } from '../core/mirror/world.ts';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { layerOf } from '../fakes/registry/content.ts';
import { Gate } from '../fakes/registry/gate.ts';
import type { Asked } from '../fakes/registry/listener.ts';
import { Client } from './fault-clients.ts';
import { type LaneCase, faulty, laneCases, mostBytes, outcome, readers, size } from './fault-lane-cases.ts';
import { nothingLeft } from './fault-left.ts';
import { bytesReceived, manifest, repository, type Stage, stage } from './fault-stage.ts';

/** The first connection waits here until all the others have begun, or cannot. */
const early = 200_000;
/** Of what is kept, the ends of stretches are pages that are not full; and a connection that meets one stops a read later. */
const seams = 4 * (64 * 1024 + 4096);

async function play(staged: Stage, given: LaneCase): Promise<void> {
  const { all, cdn, registries } = staged;
  staged.blobs += 1;
  // Who lied in the case before is asked first again.
  all.clock.forward(11 * minute);
  const bytes = randomBytes(staged.blobs, size);
  const layer = layerOf(bytes);
  const digest = layer.digest as Digest;
  const path = `/v2/${repository}/blobs/${digest}`;
  for (const registry of registries) registry.holdBlob(repository, layer);
  assert.equal((await all.get(manifest)).status, 200);
  await all.settled();
  all.events.length = 0;

  const [gate, stall] = [new Gate(), new Gate()];
  const asked: (string | undefined)[] = [];
  const counted = (bend: (asked: Asked) => object) => (each: Asked, of: string) => {
    if (of !== digest) return undefined;
    asked.push(each.headers.range);
    if (asked.length >= readers.length) gate.open();
    const first = each.headers.range === undefined;
    return { ...bend(each), ...(given.lanes > 1 && first && { hold: { at: early, gate } }) };
  };
  const [first, other] = registries;
  assert.ok(first !== undefined);
  const redirected = given.kind === 'further ones: refused redirect';
  first.levers.redirect = redirected ? cdn.url : undefined;
  (redirected ? cdn : first).levers.bend = counted(faulty(given, stall));
  if (other !== undefined) other.levers.bend = counted(() => ({}));

  const clients = readers.map((range) => new Client(all, path, range));
  const over = Promise.all(clients.map((client) => client.over));
  await Promise.all(clients.map((client) => client.answered));
  // Before it are those who did not get a lane: because nobody grants one, or because it is over.
  void waitedFor(all, clients).then(() => gate.open());
  if (given.kind === 'stall') {
    // Nobody ever gets more from who stalls: that is found out by the time that it takes.
    const isStuck = () => Promise.race([waitedFor(all, clients).then(() => true), over.then(() => false)]);
    while (await isStuck()) all.clock.forward(10 * second);
  }
  await over;
  await all.settled();
  stall.open();
  const want = outcome(given);
  const kept = await nothingLeft(all);
  if (want === 'whole' || given.kind === 'wrong bytes') assert.equal(kept, 0, 'bytes that nobody needs are kept');

  const told = `asked for ${asked.map((range) => range ?? 'all').join(', ')}`;
  for (const client of clients) await judge(client, want, bytes, given, told);
  const received = bytesReceived(all);
  const most = mostBytes(given, asked);
  assert.equal(all.events.filter(({ kind }) => kind === 'fill').length, 1, 'one download, however many ask');
  assert.ok(received <= most, `${received} bytes were received, more than ${most}: ${told}`);
  if (want === 'whole') assert.ok(received >= size);
  if (given.lanes > 1) assert.ok(asked.length >= 2, `no lane of its own for anybody: ${told}`);
  assert.equal(await all.store.blobs.stat(digest), want === 'whole' ? size : undefined);
  assert.ok(await all.store.blobs.check(digest));

  // And all is well as soon as the upstream is. What is kept is not fetched again.
  assert.deepEqual(harm(all), []);
  if (given.kind === 'wrong bytes' && given.endpoints === 2) {
    // Whoever asks again, as clients do, is served by the other endpoint at once.
    assert.ok((await all.get(path)).body.equals(bytes));
    await all.settled();
  }
  all.events.length = 0;
  for (const { levers } of [...registries, cdn]) levers.bend = undefined;
  first.levers.redirect = undefined;
  all.clock.forward(2 * minute);
  const again = await all.get(path);
  assert.ok(again.body.equals(bytes));
  await all.settled();
  assert.equal(await nothingLeft(all), 0);
  const rest = size - kept + seams;
  if (want === 'broken') assert.ok(bytesReceived(all) <= rest, `${bytesReceived(all)} bytes, more than ${rest}`);
  assert.deepEqual(harm(all), []);
  await all.store.blobs.delete(digest);
}

function harm({ events }: World): readonly unknown[] {
  return events.filter(({ kind }) => kind === 'bug' || kind === 'trouble');
}

/** Nothing moves any more: whoever can have bytes has them. */
async function waitedFor({ events }: World, clients: readonly Client[]): Promise<void> {
  for (let still = 0, seen = ''; still < 200; still += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = `${events.length} ${clients.map((client) => client.length).join()}`;
    if (now !== seen) still = 0;
    seen = now;
  }
}

async function judge(
  client: Client,
  want: 'whole' | 'broken',
  bytes: Buffer,
  given: LaneCase,
  told: string,
): Promise<void> {
  const reply = await client.answered;
  const request = parseRange(client.asked);
  assert.equal(reply.status, request === undefined ? 200 : 206, told);
  const { offset, length } = request === undefined ? { offset: 0, length: size } : resolveRange(request, size);
  const whole = await client.whole();
  const verifies = request !== undefined && request.kind !== 'from';
  if (want === 'whole') assert.ok(whole, `${client.asked ?? 'the whole'} is cut off: ${told}`);
  else if (!verifies) assert.ok(!whole, `${client.asked ?? 'the whole'} is complete: ${told}`);
  const got = client.bytes;
  assert.ok(got.length <= length);
  if (whole) assert.equal(got.length, length);
  const right = Buffer.from(bytes.subarray(offset, offset + got.length));
  const flipped = given.at - offset;
  const isFlipped = given.kind === 'wrong bytes' && flipped >= 0 && flipped < right.length;
  if (isFlipped) right[flipped] = (right[flipped] ?? 0) ^ 1;
  assert.ok(got.equals(right), 'other bytes than those of the blob');
}

for (const lanes of [1, 4] as const) {
  for (const endpoints of [1, 2] as const) {
    // Not in the suite: one that is left out would never end it.
    const staged = await stage(endpoints, lanes);
    describe(`up to ${lanes} connections to ${endpoints === 1 ? 'one endpoint' : 'the first of two'} meet`, () => {
      for (const given of laneCases(lanes, endpoints)) it(given.name, { timeout: 20_000 }, () => play(staged, given));
    });
  }
}
