// The byte budget: never more on disk than the limit, and never at the cost of who is reading.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { type Content, type Fill, NoRoom } from '../../../src/core/mirror/ports.ts';
import { discard } from '../../../src/core/mirror/reply.ts';
import type { Digest } from '../../../src/core/oci/digest.ts';
import { collect, digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { Faucet } from './faucet.ts';
import { bytesBelow, openFresh, type Opened, until } from './opening.ts';

/** The blob number `seed`, of `size` bytes, brought in at a later time than all before. */
async function add({ store, clock }: Opened, seed: number, size = 100): Promise<Digest> {
  clock.time += 1;
  const bytes = someBytes(size, seed);
  await store.blobs.fill(digestOf(bytes), [sourceOf(bytes)], size).done;
  return digestOf(bytes);
}

function evicted({ events }: Opened): Digest[] {
  return events.flatMap((event) => (event.kind === 'evicted' ? [event.digest] : []));
}

it('evicts what was not used for the longest, and no more than it must', async (t) => {
  const opened = await openFresh(t, 400);
  const { store, clock } = opened;
  const [a, b, c, d] = [await add(opened, 1), await add(opened, 2), await add(opened, 3), await add(opened, 4)];
  clock.time += 1;
  await discard((await store.blobs.open(a))!.body);
  clock.time += 1;
  await store.blobs.read(b, 1000);
  await add(opened, 5);
  assert.deepEqual(evicted(opened), [c]);
  await add(opened, 6, 150);
  assert.deepEqual(evicted(opened), [c, d, a]);
  assert.deepEqual(store.usage(), { bytes: 350, reserved: 0, blobs: 3, limit: 400 });
});

it('does not evict what is open, and passes by what cannot fit beside it without evicting in vain', async (t) => {
  const opened = await openFresh(t, 300);
  const { store } = opened;
  const held = await add(opened, 1);
  const content = await store.blobs.open(held);
  const idle = await add(opened, 2);
  await assert.rejects(add(opened, 3, 250), isNoRoom('full'));
  assert.deepEqual(evicted(opened), []);
  await add(opened, 4, 200);
  assert.deepEqual(evicted(opened), [idle]);
  assert.ok((await collect(content!)).equals(someBytes(100, 1)));
  await add(opened, 5, 300);
  assert.equal(await store.blobs.stat(held), undefined);
});

it('counts what was deleted as long as somebody reads it', async (t) => {
  const opened = await openFresh(t, 300);
  const { store } = opened;
  const digest = await add(opened, 1, 200);
  const content = await store.blobs.open(digest);
  await store.blobs.delete(digest);
  assert.equal(store.usage().bytes, 200);
  await assert.rejects(add(opened, 2, 200), isNoRoom('full'));
  await collect(content!);
  await add(opened, 3, 200);
  assert.deepEqual(store.usage(), { bytes: 200, reserved: 0, blobs: 1, limit: 300 });
});

it('keeps room for what is coming in, so that two cannot count on the same', async (t) => {
  const { store } = await openFresh(t, 300);
  const faucets = [1, 2, 3, 4].map((seed) => ({ seed, faucet: new Faucet(100) }));
  const fills: Fill[] = [];
  for (const { seed, faucet } of faucets) {
    const fill = store.blobs.fill(digestOf(someBytes(100, seed)), [faucet.source], 100);
    fills.push(fill);
    await fill.size.catch(() => undefined);
  }
  const sizes = await Promise.allSettled(fills.map((fill) => fill.size));
  assert.deepEqual(
    sizes.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'fulfilled', 'rejected'],
  );
  assert.equal(store.usage().reserved, 300);
  faucets[0]!.faucet.break(new Error('reset'));
  await assert.rejects(fills[0]!.done);
  assert.equal(store.usage().reserved, 200);
});

it('evicts nothing on the strength of a size that no upstream has told', async (t) => {
  const opened = await openFresh(t, 300);
  await add(opened, 1, 200);
  const refused = opened.store.blobs.fill(digestOf(someBytes(2)), [() => Promise.reject(new Error('no'))], 300);
  await assert.rejects(refused.done, { message: 'no' });
  assert.deepEqual(opened.store.usage(), { bytes: 200, reserved: 0, blobs: 1, limit: 300 });
  assert.deepEqual(evicted(opened), []);
});

it('takes a blob that is exactly as large as the limit', async (t) => {
  const opened = await openFresh(t, 1000);
  await add(opened, 1, 999);
  const digest = await add(opened, 2, 1000);
  assert.equal(await opened.store.blobs.stat(digest), 1000);
});

it('evicts down to a limit that was lowered', async (t) => {
  const before = await openFresh(t, 1000);
  const old = [await add(before, 1), await add(before, 2), await add(before, 3)];
  const after = await before.again(250);
  await after.store.settled;
  assert.deepEqual(evicted(after), [old[0]]);
  assert.equal(after.store.usage().bytes, 200);
});

it('remembers over a restart what was used when', async (t) => {
  const before = await openFresh(t, 300);
  const [a, b] = [await add(before, 1), await add(before, 2)];
  before.clock.time += 5;
  await discard((await before.store.blobs.open(a))!.body);
  const after = await before.again(300);
  after.clock.time = before.clock.time;
  await add(after, 3);
  await add(after, 4);
  assert.deepEqual(evicted(after), [b]);
});

it('looks beyond the first candidates when those are all in use', async (t) => {
  const opened = await openFresh(t, 100 * 10);
  const contents: (Content | undefined)[] = [];
  for (let seed = 1; seed <= 99; seed += 1) {
    const digest = await add(opened, seed, 10);
    if (seed < 99) contents.push(await opened.store.blobs.open(digest));
  }
  await add(opened, 200, 20);
  assert.deepEqual(evicted(opened), [digestOf(someBytes(10, 99))]);
  for (const content of contents) await collect(content!);
});

const limit = 1000;
type Step =
  | { readonly do: 'begin'; readonly seed: number; readonly size: number; readonly told: boolean }
  | { readonly do: 'end' | 'break' | 'open' | 'read out' | 'leave' | 'delete'; readonly which: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('begin' as const),
      seed: fc.nat(12),
      size: fc.integer({ min: 0, max: 600 }),
      told: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('break', 'open', 'open', 'read out', 'leave', 'delete'),
      which: fc.nat(),
    }),
  },
);

it('keeps to the limit whatever happens, and never evicts what is held', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const opened = await openFresh(t, limit);
      await new Play(opened).run(steps);
      await opened.store.close();
    }),
    { seed: 20, numRuns: 25, endOnFailure: true },
  );
});

/** What the test knows: which fills run, who reads what, and which blobs must therefore be there. */
class Play {
  readonly #opened: Opened;
  readonly #running = new Map<Digest, { faucet: Faucet; bytes: Buffer; done: Promise<void> }>();
  readonly #reading: { digest: Digest; content: Content; bytes: Buffer; deleted: boolean }[] = [];
  readonly #known = new Map<Digest, Buffer>();

  constructor(opened: Opened) {
    this.#opened = opened;
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const one of steps) {
      this.#opened.clock.time += 1;
      await this.#perform(one);
      await this.#check();
    }
    for (const { content } of this.#reading.splice(0)) await discard(content.body);
    for (const { faucet, done } of this.#running.values()) {
      faucet.break(new Error('over'));
      await assert.rejects(done);
    }
    this.#running.clear();
    await this.#check();
    const { usage } = this.#opened.store;
    const onDisk = await bytesBelow(`${this.#opened.dir}/blobs`);
    await until(() => usage().bytes === onDisk);
    assert.deepEqual([usage().bytes, usage().reserved], [onDisk, 0], 'when all are closed');
  }

  async #perform(one: Step): Promise<void> {
    const { store } = this.#opened;
    if (one.do === 'begin') return this.#begin(one.seed, one.size, one.told);
    if (one.do === 'end' || one.do === 'break') return this.#finish(one.which, one.do);
    if (one.do === 'open' || one.do === 'delete') {
      const digest = pick([...this.#known.keys()], one.which);
      if (digest === undefined) return;
      if (one.do === 'open') return this.#open(digest);
      await store.blobs.delete(digest);
      for (const reading of this.#reading) if (reading.digest === digest) reading.deleted = true;
      return;
    }
    const [reading] = this.#reading.splice(one.which % Math.max(1, this.#reading.length), 1);
    if (reading === undefined) return;
    if (one.do === 'read out') assert.ok((await collect(reading.content)).equals(reading.bytes));
    else await discard(reading.content.body);
  }

  async #begin(seed: number, size: number, told: boolean): Promise<void> {
    const bytes = someBytes(size, seed);
    const digest = digestOf(bytes);
    if (this.#running.has(digest) || (await this.#opened.store.blobs.stat(digest)) !== undefined) return;
    const faucet = new Faucet(told ? size : undefined);
    const fill = this.#opened.store.blobs.fill(digest, [faucet.source], told ? size : undefined);
    try {
      await fill.size;
      await Promise.race([fill.done, faucet.send(bytes.subarray(0, size / 2))]);
      this.#running.set(digest, { faucet, bytes, done: fill.done });
    } catch (error) {
      assert.ok(error instanceof NoRoom);
      await assert.rejects(fill.done, NoRoom);
    }
  }

  async #finish(which: number, how: 'end' | 'break'): Promise<void> {
    const digest = pick([...this.#running.keys()], which);
    if (digest === undefined) return;
    const { faucet, bytes, done } = this.#running.get(digest)!;
    this.#running.delete(digest);
    if (how === 'break') faucet.break(new Error('reset'));
    else {
      void faucet.send(bytes.subarray(bytes.length / 2));
      faucet.end();
      this.#known.set(digest, bytes);
    }
    await done.catch((error: unknown) => assert.ok(how === 'break' || error instanceof NoRoom));
  }

  async #open(digest: Digest): Promise<void> {
    const content = await this.#opened.store.blobs.open(digest);
    if (content !== undefined) this.#reading.push({ digest, content, bytes: this.#known.get(digest)!, deleted: false });
  }

  async #check(): Promise<void> {
    const { bytes, reserved } = this.#opened.store.usage();
    assert.ok(bytes + reserved <= limit, `${bytes} and ${reserved} are reserved`);
    const loose = new Map(this.#reading.filter(({ deleted }) => deleted).map((one) => [one.digest, one.bytes.length]));
    const unlinked = [...loose.values()].reduce((sum, size) => sum + size, 0);
    const onDisk = (await bytesBelow(`${this.#opened.dir}/blobs`)) + (await bytesBelow(`${this.#opened.dir}/incoming`));
    assert.ok(onDisk + unlinked <= bytes + reserved, `${onDisk} on disk, ${bytes} and ${reserved} counted`);
    for (const { digest, deleted, bytes: whole } of this.#reading) {
      if (!deleted) assert.equal(await this.#opened.store.blobs.stat(digest), whole.length);
    }
  }
}

function pick<T>(from: readonly T[], which: number): T | undefined {
  return from[which % Math.max(1, from.length)];
}

function isNoRoom(reason: NoRoom['reason']) {
  return (error: unknown) => error instanceof NoRoom && error.reason === reason;
}
