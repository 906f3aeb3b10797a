// What every blob store must do, whatever it is made of.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { read as readDescriptor } from 'node:fs';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { BlobStore, Content, Source } from '../../src/core/mirror/ports.ts';
import { discard } from '../../src/core/mirror/reply.ts';
import { type Algorithm, parseDigest } from '../../src/core/oci/digest.ts';
import { RegistryError } from '../../src/core/oci/errors.ts';

const read = promisify(readDescriptor);
const hello = Buffer.from('hello, harbour');

export function digestOf(bytes: Uint8Array, algorithm: Algorithm = 'sha256') {
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`);
}

/** Bytes that look random, always the same for a seed. */
export function someBytes(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed * 2654435761 + 1;
  for (let index = 0; index < length; index += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

/** An upstream that has these bytes and sends them in small chunks. */
export function sourceOf(bytes: Uint8Array, chunk = 1000): Source {
  return (offset) =>
    Promise.resolve({
      offset,
      size: bytes.length,
      stream: (async function* chunks() {
        for (let at = offset; at < bytes.length; at += chunk) yield await Promise.resolve(bytes.slice(at, at + chunk));
      })(),
    });
}

/** All of a body, after which it is let go of. */
export async function collect({ body }: Content): Promise<Buffer> {
  if (body.kind === 'none') return Buffer.alloc(0);
  if (body.kind === 'bytes') return Buffer.from(body.bytes);
  if (body.kind === 'file') {
    const { offset, length } = body.range ?? { offset: 0, length: body.file.size };
    const bytes = Buffer.alloc(length);
    if (length > 0) await read(body.file.descriptor, bytes, 0, length, offset);
    body.file.close();
    return bytes;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of body.stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** `make` has to clean up after itself (`t.after`). */
export function describeBlobStore(name: string, make: (t: TestContext) => Promise<BlobStore>): void {
  describe(`the blob store ${name}`, () => {
    it('has nothing that it was not given', async (t) => {
      const store = await make(t);
      assert.equal(await store.stat(digestOf(hello)), undefined);
      assert.equal(await store.open(digestOf(hello)), undefined);
      assert.equal(await store.read(digestOf(hello), 1000), undefined);
    });

    for (const algorithm of ['sha256', 'sha512'] as const) {
      it(`gives back what a fill brought in under its ${algorithm}`, async (t) => {
        const store = await make(t);
        const bytes = someBytes(300_000);
        const digest = digestOf(bytes, algorithm);
        const fill = store.fill(digest, [sourceOf(bytes)], bytes.length);
        assert.equal(await fill.size, bytes.length);
        await fill.done;
        assert.equal(await store.stat(digest), bytes.length);
        const content = await store.open(digest);
        assert.ok(content);
        assert.deepEqual([content.size, content.range], [bytes.length, undefined]);
        assert.ok((await collect(content)).equals(bytes));
      });
    }

    it('keeps an empty blob', async (t) => {
      const store = await make(t);
      const digest = digestOf(new Uint8Array());
      const fill = store.fill(digest, [sourceOf(new Uint8Array())], 0);
      assert.equal((await collect(await fill.open())).length, 0);
      await fill.done;
      assert.equal(await store.stat(digest), 0);
      const content = await store.open(digest);
      assert.ok(content);
      assert.equal((await collect(content)).length, 0);
      assert.equal((await store.read(digest, 10))?.length, 0);
    });

    it('gives the part that was asked for, and says which it is', async (t) => {
      const store = await make(t);
      const digest = await stored(store, hello);
      const cases = [
        [{ kind: 'from', offset: 7 }, { offset: 7, length: 7 }, 'harbour'],
        [{ kind: 'between', offset: 1, last: 4 }, { offset: 1, length: 4 }, 'ello'],
        [{ kind: 'between', offset: 7, last: 999 }, { offset: 7, length: 7 }, 'harbour'],
        [{ kind: 'suffix', length: 4 }, { offset: 10, length: 4 }, 'bour'],
        [{ kind: 'suffix', length: 999 }, { offset: 0, length: 14 }, 'hello, harbour'],
      ] as const;
      for (const [asked, range, text] of cases) {
        const content = await store.open(digest, asked);
        assert.ok(content);
        assert.deepEqual(content.range, range);
        assert.equal((await collect(content)).toString(), text);
      }
    });

    it('refuses a range outside the blob', async (t) => {
      const store = await make(t);
      const digest = await stored(store, hello);
      const outside = { kind: 'from', offset: hello.length } as const;
      await assert.rejects(store.open(digest, outside), isError('RANGE_INVALID'));
      const fill = store.fill(digestOf(someBytes(10)), [sourceOf(someBytes(10))], 10);
      await assert.rejects(fill.open({ kind: 'between', offset: 10, last: 11 }), isError('RANGE_INVALID'));
      await fill.done;
    });

    it('reads a small blob whole, and not one that is longer than asked', async (t) => {
      const store = await make(t);
      const digest = await stored(store, hello);
      assert.deepEqual(Buffer.from((await store.read(digest, hello.length))!), hello);
      assert.equal(await store.read(digest, hello.length - 1), undefined);
    });

    it('forgets what is deleted, and takes it again', async (t) => {
      const store = await make(t);
      const digest = await stored(store, hello);
      await store.delete(digest);
      await store.delete(digest);
      assert.equal(await store.stat(digest), undefined);
      assert.equal(await store.open(digest), undefined);
      await stored(store, hello);
      assert.equal(await store.stat(digest), hello.length);
    });

    it('finds what is whole intact, and what is not here no worse', async (t) => {
      const store = await make(t);
      const digest = await stored(store, hello);
      assert.equal(await store.check(digest), true);
      assert.equal(await store.check(digestOf(someBytes(10))), true);
      assert.equal(await store.stat(digest), hello.length);
    });

    it('lets a reader finish what is deleted meanwhile', async (t) => {
      const store = await make(t);
      const digest = await stored(store, hello);
      const content = await store.open(digest);
      await store.delete(digest);
      assert.ok(content);
      assert.deepEqual(await collect(content), hello);
    });

    it('lets go of a body that is not sent', async (t) => {
      const store = await make(t);
      const digest = await stored(store, hello);
      const content = await store.open(digest);
      assert.ok(content);
      await discard(content.body);
      const fill = store.fill(digestOf(someBytes(9)), [sourceOf(someBytes(9))]);
      await discard((await fill.open()).body);
      await fill.done;
    });

    it('sends the readers of a fill the right bytes', async (t) => {
      const store = await make(t);
      const bytes = someBytes(200_000);
      const fill = store.fill(digestOf(bytes), [sourceOf(bytes)], bytes.length);
      const all = await Promise.all([
        fill.open().then(collect),
        fill.open({ kind: 'from', offset: 150_000 }).then(collect),
        fill.open({ kind: 'between', offset: 10, last: 99_999 }).then(collect),
        fill.open({ kind: 'suffix', length: 1000 }).then(collect),
      ]);
      const expected = [bytes, bytes.subarray(150_000), bytes.subarray(10, 100_000), bytes.subarray(-1000)];
      for (const [index, got] of all.entries()) assert.ok(got.equals(expected[index]!), `reader ${index}`);
      await fill.done;
      assert.ok((await collect(await fill.open())).equals(bytes), 'a reader that comes when all is over');
    });

    it('answers a range far ahead though the start does not come, and asks for nothing twice', async (t) => {
      const store = await make(t);
      const bytes = someBytes(900_000, 3);
      const asked: [number, number][] = [];
      const start = Promise.withResolvers<void>();
      const source: Source = async (offset, _signal, end = bytes.length) => {
        asked.push([offset, end]);
        if (offset === 0) await start.promise;
        return sourceOf(bytes.subarray(0, end))(offset, _signal).then((incoming) => ({
          ...incoming,
          size: bytes.length,
        }));
      };
      const fill = store.fill(digestOf(bytes), [source], bytes.length);
      const range = await fill.open({ kind: 'between', offset: 800_000, last: 800_009 });
      assert.deepEqual(range.range, { offset: 800_000, length: 10 });
      assert.ok((await collect(range)).equals(bytes.subarray(800_000, 800_010)));
      const whole = fill.open().then(collect);
      start.resolve();
      assert.ok((await whole).equals(bytes));
      await fill.done;
      const sorted = asked.toSorted(([one], [other]) => one - other);
      assert.deepEqual(
        sorted.map(([, end]) => end),
        [...sorted.slice(1).map(([offset]) => offset), bytes.length],
      );
    });

    it('brings in what broke off before, and gives nothing of it to whom no source answers', async (t) => {
      const store = await make(t);
      const bytes = someBytes(500_000, 5);
      const digest = digestOf(bytes);
      const gone = new RegistryError('UNAVAILABLE', 'gone');
      const cut: Source = async (offset, signal) => {
        if (offset > 0) throw gone;
        return { ...(await sourceOf(bytes.subarray(0, 400_000))(offset, signal)), size: bytes.length };
      };
      await assert.rejects(store.fill(digest, [cut]).done);
      await assert.rejects(store.fill(digest, [() => Promise.reject(gone)]).open(), isError('UNAVAILABLE', 503));
      const fill = store.fill(digest, [sourceOf(bytes)]);
      assert.ok((await collect(await fill.open())).equals(bytes));
      await fill.done;
    });

    it('stores nothing of another digest, and completes no reader of it', async (t) => {
      const store = await make(t);
      const digest = digestOf(someBytes(100, 1));
      const fill = store.fill(digest, [sourceOf(someBytes(100, 2))], 100);
      await assert.rejects(fill.open().then(collect), isError('UNAVAILABLE', 502));
      await assert.rejects(fill.done, isError('UNAVAILABLE', 502));
      assert.equal(await store.stat(digest), undefined);
    });

    it('holds the upstream to the size that was told before', async (t) => {
      const store = await make(t);
      const fill = store.fill(digestOf(hello), [sourceOf(hello)], hello.length + 1);
      await assert.rejects(fill.size, isError('UNAVAILABLE', 502));
      await assert.rejects(fill.done, isError('UNAVAILABLE', 502));
      await assert.rejects(fill.open(), isError('UNAVAILABLE', 502));
    });

    it('asks the next source when one has not got it or may not give it', async (t) => {
      const store = await make(t);
      const refusals = [401, 403, 404].map(
        (status): Source =>
          () =>
            Promise.reject(new RegistryError('DENIED', 'no', { status })),
      );
      const fill = store.fill(digestOf(hello), [...refusals, sourceOf(hello)]);
      await fill.done;
      assert.equal(await store.stat(digestOf(hello)), hello.length);
    });

    it('tells the last refusal when no source has it', async (t) => {
      const store = await make(t);
      const refuse =
        (code: 'DENIED' | 'BLOB_UNKNOWN'): Source =>
        () =>
          Promise.reject(new RegistryError(code, 'no'));
      const fill = store.fill(digestOf(hello), [refuse('DENIED'), refuse('BLOB_UNKNOWN')]);
      await assert.rejects(fill.size, isError('BLOB_UNKNOWN', 404));
      await assert.rejects(fill.done, isError('BLOB_UNKNOWN', 404));
    });
  });
}

async function stored(store: BlobStore, bytes: Uint8Array) {
  const digest = digestOf(bytes);
  await store.fill(digest, [sourceOf(bytes)], bytes.length).done;
  return digest;
}

export function isError(code: string, status?: number) {
  return (error: unknown) =>
    error instanceof RegistryError && error.code === code && (status === undefined || error.status === status);
}
