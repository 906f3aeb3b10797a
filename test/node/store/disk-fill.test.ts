// Blobs on their way in: readers at their own pace, what they may see before the digest is known, and what goes wrong.
import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { type Content, type Fill, NoRoom } from '../../../src/core/mirror/ports.ts';
import { discard } from '../../../src/core/mirror/reply.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { collect, digestOf, isError, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { Faucet } from './faucet.ts';
import { openFresh } from './opening.ts';

const heldBack = 64 * 1024;
const bytes = someBytes(400_000);
const digest = digestOf(bytes);

async function begin(t: TestContext, limit?: number) {
  const opened = await openFresh(t, limit);
  const faucet = new Faucet(bytes.length);
  const fill = opened.store.blobs.fill(digest, [faucet.source]);
  return { ...opened, faucet, fill, incoming: () => readdir(join(opened.dir, 'incoming')) };
}

function reader(content: Content): AsyncIterator<Uint8Array> {
  assert.ok(content.body.kind === 'stream');
  return content.body.stream[Symbol.asyncIterator]();
}

/** Reads until `length` bytes have come; they must be those of the blob. */
async function take(from: AsyncIterator<Uint8Array>, length: number, offset = 0): Promise<number> {
  let done = 0;
  while (done < length) {
    const { value } = (await from.next()) as IteratorResult<Uint8Array, undefined>;
    assert.ok(value, `the stream ended after ${done} bytes`);
    assert.ok(bytes.subarray(offset + done, offset + done + value.length).equals(value));
    done += value.length;
  }
  return done;
}

/** Reads to the end or to the error. */
async function readOut(content: Content): Promise<{ length: number; error: unknown }> {
  let length = 0;
  try {
    assert.ok(content.body.kind === 'stream');
    for await (const chunk of content.body.stream) length += chunk.length;
    return { length, error: undefined };
  } catch (error) {
    return { length, error };
  }
}

/** Whether it settles without anything more happening but what is under way. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let is = false;
  const mark = () => void (is = true);
  promise.then(mark, mark);
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return is;
}

async function pour(faucet: Faucet, from = 0, to = bytes.length): Promise<void> {
  for (let at = from; at < to; at += 50_000) await faucet.send(bytes.subarray(at, Math.min(to, at + 50_000)));
}

it('tells the size and lets read before the rest is here', async (t) => {
  const { fill, faucet, store } = await begin(t);
  assert.equal(await fill.size, bytes.length);
  const first = reader(await fill.open());
  await faucet.send(bytes.subarray(0, 1000));
  assert.equal(await take(first, 1000), 1000);
  assert.equal(await store.blobs.open(digest), undefined, 'the store has nothing yet');
  assert.equal(await store.blobs.stat(digest), undefined);
  await pour(faucet, 1000);
  faucet.end();
  await take(first, bytes.length - 1000, 1000);
  assert.equal((await first.next()).done, true);
  await fill.done;
  assert.equal(faucet.opened, 1);
});

it('keeps back the last 64 KiB of the whole and of an open end until the digest is known to match', async (t) => {
  const { fill, faucet } = await begin(t);
  const whole = reader(await fill.open());
  const openEnd = reader(await fill.open({ kind: 'from', offset: bytes.length - 1000 }));
  await pour(faucet);
  await take(whole, bytes.length - heldBack);
  const waiting = [whole.next(), openEnd.next()];
  assert.equal(await settled(Promise.race(waiting)), false);
  faucet.end();
  const [last, end] = (await Promise.all(waiting)) as IteratorResult<Uint8Array>[];
  assert.ok(bytes.subarray(-heldBack).equals(last!.value));
  assert.ok(bytes.subarray(-1000).equals(end!.value));
  await Promise.all([whole.return?.(), openEnd.return?.()]);
  await fill.done;
});

it('sends bounded ranges and suffixes as their bytes arrive', async (t) => {
  const { fill, faucet } = await begin(t);
  const middle = reader(await fill.open({ kind: 'between', offset: 100_000, last: 100_009 }));
  const suffix = reader(await fill.open({ kind: 'suffix', length: 10 }));
  const [early, late] = [middle.next(), suffix.next()];
  await pour(faucet, 0, 100_000);
  assert.equal(await settled(early), false, 'a range far ahead waits for its bytes');
  await pour(faucet, 100_000);
  const got = [await early, await late] as IteratorResult<Uint8Array>[];
  assert.deepEqual(Buffer.from(got[0]!.value), bytes.subarray(100_000, 100_010));
  assert.deepEqual(Buffer.from(got[1]!.value), bytes.subarray(-10));
  assert.equal((await middle.next()).done, true, 'it is over though the fill is not');
  assert.equal((await suffix.next()).done, true);
  faucet.end();
  await fill.done;
});

it('does not wait for a slow reader, who gets everything all the same', async (t) => {
  const { fill, faucet, store } = await begin(t);
  const slow = reader(await fill.open());
  await faucet.send(bytes.subarray(0, 10));
  await take(slow, 10);
  await pour(faucet, 10);
  faucet.end();
  await fill.done;
  assert.equal(await store.blobs.stat(digest), bytes.length);
  await take(slow, bytes.length - 10, 10);
  assert.equal((await slow.next()).done, true);
});

it('goes on when readers leave, even those who wait and even if all do', async (t) => {
  const { fill, faucet, store } = await begin(t);
  const waits = reader(await fill.open());
  const next = waits.next();
  const never = await fill.open();
  await waits.return?.();
  assert.equal((await next).done, true);
  await discard(never.body);
  await pour(faucet);
  faucet.end();
  await fill.done;
  assert.equal(await store.blobs.stat(digest), bytes.length);
  assert.equal(faucet.signal?.aborted, false);
});

it('lets who comes late read from the start', async (t) => {
  const { fill, faucet } = await begin(t);
  await pour(faucet, 0, 300_000);
  const late = reader(await fill.open());
  await take(late, 300_000);
  await pour(faucet, 300_000);
  faucet.end();
  await take(late, 100_000, 300_000);
  assert.equal((await late.next()).done, true);
  await fill.done;
});

it('stays 64 KiB behind an upstream that told no size, and ignores ranges of it', async (t) => {
  const { store } = await openFresh(t, 10_000_000);
  const silent = new Faucet(undefined);
  const fill = store.blobs.fill(digest, [silent.source]);
  assert.equal(await fill.size, undefined);
  const content = await fill.open({ kind: 'from', offset: 7 });
  assert.deepEqual([content.size, content.range], [undefined, undefined]);
  const from = reader(content);
  await pour(silent, 0, heldBack);
  const early = from.next();
  assert.equal(await settled(early), false);
  await pour(silent, heldBack);
  let got = ((await early) as IteratorResult<Uint8Array>).value.length as number;
  got += await take(from, bytes.length - heldBack - got, got);
  assert.equal(got, bytes.length - heldBack);
  const last = from.next();
  assert.equal(await settled(last), false);
  silent.end();
  assert.equal((await last).value?.length, heldBack);
  assert.equal((await from.next()).done, true);
  await fill.done;
  assert.equal(await store.blobs.stat(digest), bytes.length);
});

const failures = {
  'bytes of another digest': async (faucet: Faucet) => {
    await pour(faucet, 0, bytes.length - 1);
    await faucet.send(Uint8Array.of(bytes.at(-1)! ^ 1));
    faucet.end();
  },
  'too few bytes': async (faucet: Faucet) => {
    await pour(faucet, 0, bytes.length - 1);
    faucet.end();
  },
  'too many bytes': async (faucet: Faucet) => {
    await pour(faucet);
    void faucet.send(Uint8Array.of(1));
  },
  'an upstream that breaks': async (faucet: Faucet) => {
    await pour(faucet);
    faucet.break(new Error('reset'));
  },
};

for (const [what, happens] of Object.entries(failures)) {
  it(`completes no whole body and no open end after ${what}, and leaves nothing behind`, async (t) => {
    const { fill, faucet, store, events, incoming } = await begin(t, 1_000_000);
    const contents = [await fill.open(), await fill.open(), await fill.open({ kind: 'from', offset: 399_000 })];
    const idle = reader(contents[1]!);
    const first = readOut(contents[0]!);
    const tail = readOut(contents[2]!);
    await happens(faucet);
    await assert.rejects(fill.done);
    const { length, error } = await first;
    assert.ok(error instanceof Error);
    assert.ok(length <= bytes.length - heldBack, `${length} bytes went out`);
    assert.equal((await tail).length, 0);
    await assert.rejects(idle.next(), 'one that did not ask before learns of it too');
    await assert.rejects(fill.open(), 'and so does one who comes too late');
    assert.equal(await store.blobs.open(digest), undefined);
    assert.deepEqual(await incoming(), []);
    assert.deepEqual(store.usage(), { bytes: 0, reserved: 0, blobs: 0, limit: 1_000_000 });
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ['fill-failed'],
    );
    assert.equal(faucet.signal?.aborted, true);
  });
}

it('sends nothing at all of a wrong blob that is smaller than what is held back', async (t) => {
  const { store } = await begin(t);
  const wrong = store.blobs.fill(digestOf(someBytes(1000)), [sourceOf(someBytes(1000, 2))]);
  const { length, error } = await readOut(await wrong.open());
  assert.equal(length, 0);
  assert.ok(isError('UNAVAILABLE', 502)(error));
});

it('refuses an upstream that begins elsewhere than asked', async (t) => {
  const { store } = await openFresh(t);
  const fill = store.blobs.fill(digest, [new Faucet(bytes.length, 5).source]);
  await assert.rejects(fill.size, isError('UNAVAILABLE', 502));
});

it('asks no other source when one cannot answer, nor when there is none', async (t) => {
  const { store } = await openFresh(t);
  const second = new Faucet(bytes.length);
  const down = () => Promise.reject(new RegistryError('UNAVAILABLE', 'down'));
  await assert.rejects(store.blobs.fill(digest, [down, second.source]).size, isError('UNAVAILABLE', 503));
  assert.equal(second.opened, 0);
  await assert.rejects(store.blobs.fill(digest, []).size, isError('UNAVAILABLE', 503));
});

it('asks a source that was added while another was being asked', async (t) => {
  const { store } = await openFresh(t);
  const sources = new Set([
    () => {
      sources.add(sourceOf(bytes));
      return Promise.reject(new RegistryError('DENIED', 'no'));
    },
  ] as ReturnType<typeof sourceOf>[]);
  await store.blobs.fill(digest, sources).done;
  assert.equal(await store.blobs.stat(digest), bytes.length);
});

it('reserves room before it asks anybody', async (t) => {
  const { store } = await openFresh(t, 1000);
  const faucet = new Faucet(bytes.length);
  const fill = store.blobs.fill(digest, [faucet.source], bytes.length);
  await assert.rejects(fill.size, isNoRoom('too-large'));
  await assert.rejects(fill.open(), isNoRoom('too-large'));
  assert.equal(faucet.opened, 0);
});

it('has no room when the upstream tells a size beyond the limit, and hangs up', async (t) => {
  const { fill, faucet, store } = await begin(t, 1000);
  await assert.rejects(fill.size, isNoRoom('too-large'));
  await assert.rejects(fill.done, isNoRoom('too-large'));
  assert.equal(faucet.signal?.aborted, true);
  assert.equal(store.usage().reserved, 0);
});

it('stops a blob of unknown size at the limit', async (t) => {
  const { store, dir } = await openFresh(t, 100_000);
  const silent = new Faucet(undefined);
  const fill = store.blobs.fill(digest, [silent.source]);
  const content = await fill.open();
  const out = readOut(content);
  await silent.send(bytes.subarray(0, 90_000));
  void silent.send(bytes.subarray(90_000, 110_000));
  await assert.rejects(fill.done, isNoRoom('too-large'));
  assert.ok((await out).error instanceof NoRoom);
  assert.equal(store.usage().reserved, 0);
  assert.deepEqual(await readdir(join(dir, 'incoming')), []);
});

it('has no room when the file cannot be created, and says that there is trouble', async (t) => {
  const { store, dir, events } = await openFresh(t);
  await rm(join(dir, 'incoming'), { recursive: true });
  const faucet = new Faucet(bytes.length);
  await assert.rejects(store.blobs.fill(digest, [faucet.source], 10).size, isNoRoom('failed'));
  assert.equal(faucet.opened, 0);
  assert.equal(events[0]?.kind, 'trouble');
});

it('fails running fills and their readers when the store is closed', async (t) => {
  const { fill, faucet, store, incoming } = await begin(t);
  const waiting = readOut(await fill.open());
  const idle: Fill = store.blobs.fill(digestOf(someBytes(3)), [new Faucet(3).source]);
  await idle.open();
  await faucet.send(bytes.subarray(0, 1000));
  await store.close();
  assert.ok((await waiting).error instanceof Error);
  await assert.rejects(fill.done);
  await assert.rejects(idle.done);
  assert.deepEqual(await incoming(), []);
  await assert.rejects(store.blobs.fill(digest, [sourceOf(bytes)]).size, 'it takes no more');
});

it('lets all readers of one blob share what they read it with', async (t) => {
  const { store } = await openFresh(t);
  await store.blobs.fill(digest, [sourceOf(bytes)]).done;
  const contents = await Promise.all(Array.from({ length: 50 }, () => store.blobs.open(digest)));
  const descriptors = new Set(contents.map((content) => content?.body.kind === 'file' && content.body.file.descriptor));
  assert.equal(descriptors.size, 1);
  for (const content of contents) assert.ok((await collect(content!)).equals(bytes));
});

function isNoRoom(reason: NoRoom['reason']) {
  return (error: unknown) => error instanceof NoRoom && error.reason === reason;
}
