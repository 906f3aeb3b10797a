// Blobs that do not make it into the store: who learns of it, what is left, and that no body is completed.
import assert from 'node:assert/strict';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { type Fill, NoRoom } from '../../../src/core/mirror/ports.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { digestOf, isError, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { Faucet } from './faucet.ts';
import { begin, bytes, digest, heldBack, pour, reader, readOut } from './filling.ts';
import { openFresh } from './opening.ts';

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

it('leaves alone what it handed out, when the fill fails before the reader asks for more', async (t) => {
  const { fill, faucet, store } = await begin(t);
  const first = reader(await fill.open());
  await pour(faucet, 0, 300_000);
  const { value } = (await first.next()) as IteratorResult<Uint8Array, undefined>;
  assert.ok(value);
  const copy = Buffer.from(value);
  faucet.break(new Error('reset'));
  await assert.rejects(fill.done);
  const other = someBytes(400_000, 2);
  const next = store.blobs.fill(digestOf(other), [sourceOf(other)]);
  await readOut(await next.open());
  await next.done;
  assert.ok(copy.equals(value), 'it may still be on its way to a slow client');
  await assert.rejects(first.next());
});

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

it('asks nobody for what is larger than the limit', async (t) => {
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
  await writeFile(join(dir, 'incoming'), 'in the way');
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

function isNoRoom(reason: NoRoom['reason']) {
  return (error: unknown) => error instanceof NoRoom && error.reason === reason;
}
