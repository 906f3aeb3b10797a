// Blobs on their way in: readers at their own pace, and what they may see before the digest is known.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { discard } from '../../../src/core/mirror/reply.ts';
import { collect, sourceOf } from '../../conformance/blob-store.ts';
import { Faucet } from './faucet.ts';
import { begin, bytes, digest, heldBack, pour, reader, settled, take } from './filling.ts';
import { openFresh } from './opening.ts';

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
  const [last, end] = await Promise.all(waiting);
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
  let got = (await early).value?.length ?? 0;
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

it('lets all readers of one blob share what they read it with', async (t) => {
  const { store } = await openFresh(t);
  await store.blobs.fill(digest, [sourceOf(bytes)]).done;
  const contents = await Promise.all(Array.from({ length: 50 }, () => store.blobs.open(digest)));
  const descriptors = new Set(contents.map((content) => content?.body.kind === 'file' && content.body.file.descriptor));
  assert.equal(descriptors.size, 1);
  for (const content of contents) assert.ok((await collect(content!)).equals(bytes));
});
