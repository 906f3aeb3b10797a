// The book of mirrors without a disk, which remember for as long as they live and tell each other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Entry, type Far, Near, sharedBook } from '../../../src/core/mirror/shared-book.ts';
import { parseDigest } from '../../../src/core/oci/digest.ts';
import { describeBook } from '../../conformance/book.ts';
import { TestClock } from './world.ts';

const nginx = { registry: 'docker.io', name: 'library/nginx' };
const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
const manifest = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 1234 };
const minute = 60_000;

/** What all of them see. Writes arrive at once, unless they are `slow`: then when they are let. */
class Shared implements Far {
  readonly #entries = new Map<string, Entry<unknown>>();
  readonly slow: (() => void)[] = [];
  reads = 0;
  isSlow = false;

  async read<V>(key: string): Promise<Entry<V> | undefined> {
    this.reads += 1;
    return this.#entries.get(key) as Entry<V> | undefined;
  }

  write<V>(key: string, entry: Entry<V>, correct: () => Entry<V> | undefined): void {
    const arrive = () => {
      this.#entries.set(key, entry);
      const corrected = correct();
      if (corrected !== undefined) this.#entries.set(key, corrected);
    };
    if (this.isSlow) this.slow.push(arrive);
    else arrive();
  }

  async withdraw(key: string, entry: Entry<never>): Promise<void> {
    this.#entries.set(key, entry);
  }
}

function books() {
  const clock = new TestClock();
  const far = new Shared();
  const open = () => sharedBook(new Near(clock), far, clock, () => ({ freshFor: minute, staleFor: 60 * minute }));
  return { clock, far, open };
}

const nothing: Far = { read: async () => undefined, write() {}, withdraw: async () => {} };
describeBook('in memory', async () => {
  const clock = new TestClock();
  return sharedBook(new Near(clock), nothing, clock, () => ({ freshFor: minute, staleFor: minute }));
});
describeBook('in memory, shared', async () => books().open());

test('what one has written the others find, and ask for no more while it is good', async () => {
  const { clock, far, open } = books();
  const [one, other] = [open(), open()];
  await one.judge(nginx, { asOf: clock.now() });
  await one.point(nginx, 'latest', { descriptor: manifest, checkedAt: clock.now() });
  await one.link(nginx, manifest);
  for (const reads of [3, 0]) {
    far.reads = 0;
    assert.ok(await other.verdict(nginx));
    assert.ok(await other.pointer(nginx, 'latest'));
    assert.ok(await other.standing(nginx, digest));
    assert.equal(far.reads, reads);
  }
});

test('who knows something old takes the newer word of another, and keeps his own if that is newer', async () => {
  const { clock, open } = books();
  const [one, other] = [open(), open()];
  await one.point(nginx, 'latest', { descriptor: manifest, checkedAt: clock.now() });
  clock.forward(2 * minute);
  const moved = { descriptor: { ...manifest, size: 1 }, checkedAt: clock.now() };
  await other.point(nginx, 'latest', moved);
  assert.deepEqual(await one.pointer(nginx, 'latest'), moved);
  clock.forward(2 * minute);
  for (const book of [one, other]) assert.deepEqual(await book.pointer(nginx, 'latest'), moved);
});

test('what one has withdrawn is withdrawn for who knew it, as soon as he looks again', async () => {
  const { clock, open } = books();
  const [one, other] = [open(), open()];
  for (const book of [one, other]) await book.judge(nginx, { asOf: clock.now() });
  clock.forward(20 * minute);
  await one.judge(nginx, undefined);
  for (const book of [other, one, open()]) assert.equal(await book.verdict(nginx), undefined);
  await other.judge(nginx, { asOf: clock.now() });
  clock.forward(minute);
  await other.judge(nginx, { asOf: clock.now() });
  assert.deepEqual(await one.verdict(nginx), { asOf: clock.now() });
});

test('a write that arrives after it was withdrawn does not bring it back', async () => {
  const { clock, far, open } = books();
  const one = open();
  far.isSlow = true;
  await one.judge(nginx, { asOf: clock.now() });
  await one.judge(nginx, undefined);
  for (const arrive of far.slow) arrive();
  assert.equal(await open().verdict(nginx), undefined);
});

test('what is written while somebody looks is what he finds', async () => {
  const { clock, open } = books();
  const [one, other] = [open(), open()];
  await other.judge(nginx, { asOf: clock.now() });
  clock.forward(1);
  const looking = one.verdict(nginx);
  await one.judge(nginx, undefined);
  assert.equal(await looking, undefined);
});
