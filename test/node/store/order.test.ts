// In which order a blob comes and goes, on disk and in the ledger: what a crash leaves depends on it.
import assert from 'node:assert/strict';
import fs, { type FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { relative } from 'node:path';
import { it, type TestContext } from 'node:test';
import { BookThread } from '../../../src/node/store/book-thread.ts';
import { Layout } from '../../../src/node/store/layout.ts';
import { digestOf, someBytes, sourceOf } from '../../conformance/blob-store.ts';
import { openFresh } from './opening.ts';

type Call = (this: unknown, ...values: unknown[]) => Promise<unknown>;

/** Tells of every call in the order in which they began; one that begins while another still runs is told with `with `. */
class Recorder {
  readonly calls: string[] = [];
  readonly #t: TestContext;
  #running = 0;

  constructor(t: TestContext) {
    this.#t = t;
  }

  /** `name`: what the call is told as; undefined: it is not told. */
  watch(target: object, method: string, name: (self: unknown, values: readonly unknown[]) => string | undefined): void {
    const original = Reflect.get(target, method) as Call;
    // oxlint-disable-next-line typescript/no-this-alias
    const recorder = this;
    Reflect.set(target, method, async function watched(this: unknown, ...values: unknown[]) {
      const told = name(this, values);
      if (told === undefined) return original.apply(this, values);
      recorder.calls.push(recorder.#running > 0 ? `with ${told}` : told);
      recorder.#running += 1;
      return original.apply(this, values).finally(() => (recorder.#running -= 1));
    });
    this.#t.after(() => {
      Reflect.set(target, method, original);
      syncBuiltinESMExports();
    });
  }
}

async function record(t: TestContext) {
  const { store, dir } = await openFresh(t);
  await store.settled;
  const recorder = new Recorder(t);
  const paths = new WeakMap<object, string>();
  const place = (path: unknown): string => relative(dir, String(path)).replace(/\/[0-9a-f]{64}\S*$/, '');
  const probe = await fs.open('/dev/null');
  const prototype = Object.getPrototypeOf(probe) as FileHandle;
  await probe.close();
  const { open } = fs;
  Reflect.set(fs, 'open', async (...values: Parameters<typeof open>) => {
    const handle = await open(...values);
    paths.set(handle, place(values[0]));
    return handle;
  });
  t.after(() => Reflect.set(fs, 'open', open));
  for (const method of ['write', 'sync']) {
    recorder.watch(prototype, method, (handle) => `${method} ${paths.get(handle as object) ?? ''}`);
  }
  recorder.watch(fs, 'rename', (_, [from, to]) => `rename ${place(from)} to ${place(to)}`);
  recorder.watch(fs, 'unlink', (_, [path]) => `unlink in ${place(path)}`);
  recorder.watch(BookThread.prototype, 'ask', (_, [method]) =>
    method === 'put' || method === 'drop' ? `${method} row` : undefined,
  );
  syncBuiltinESMExports();
  return {
    store,
    calls: recorder.calls,
    shardOf: (digest: ReturnType<typeof digestOf>) => place(new Layout(dir).shardOf(digest)),
  };
}

it('syncs a blob before its row, names it after, and syncs every directory that is new', async (t) => {
  const { store, calls, shardOf } = await record(t);
  const bytes = someBytes(1000);
  const shard = shardOf(digestOf(bytes));
  await store.blobs.fill(digestOf(bytes), [sourceOf(bytes)]).done;
  assert.deepEqual(calls, [
    'write incoming',
    'sync incoming',
    'put row',
    'sync blobs/sha256',
    'sync blobs',
    `rename incoming to ${shard}`,
    `sync ${shard}`,
  ]);
});

it('takes a file away before its row', async (t) => {
  const { store, calls, shardOf } = await record(t);
  const bytes = someBytes(1000);
  await store.blobs.fill(digestOf(bytes), [sourceOf(bytes)]).done;
  calls.splice(0);
  await store.blobs.delete(digestOf(bytes));
  assert.deepEqual(calls, [`unlink in ${shardOf(digestOf(bytes))}`, 'drop row']);
});
