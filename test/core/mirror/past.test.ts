// What a client gets past the store: no more of the upstream than it needs.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { NamedPull } from '../../../src/core/mirror/blob-inquiry.ts';
import { PastStore } from '../../../src/core/mirror/past.ts';
import { NoRoom, type Source } from '../../../src/core/mirror/ports.ts';
import { Unreachable } from '../../../src/core/oci/errors.ts';
import { type RangeRequest, resolveRange } from '../../../src/core/oci/range.ts';
import { collect, digestOf } from '../../conformance/blob-store.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';

const size = 1_000_000;
const bytes = randomBytes(4, size);
const digest = digestOf(bytes);
const { signal } = new AbortController();
const repository = { registry: 'registry.example', name: 'library/alpine' };
const suffix: RangeRequest = { kind: 'suffix', length: 1000 };
const toItsEnd: RangeRequest = { kind: 'between', offset: size - 1000, last: size - 1 };

/** `breaksAt`: bytes after which a connection breaks, once. */
function past(breaksAt?: number) {
  const asked: string[] = [];
  let left = breaksAt;
  const source: Source = (from, _signal, end) => {
    asked.push(`${from}-${end ?? ''}`);
    async function* stream() {
      const breaks = left;
      left = undefined;
      yield bytes.subarray(from, breaks === undefined ? (end ?? size) : from + breaks);
      if (breaks !== undefined) throw new Unreachable('reset', undefined);
    }
    return Promise.resolve({ offset: from, end: end ?? size, size, stream: stream() });
  };
  const newHasher = () => {
    const hash = createHash('sha256');
    return { update: (chunk: Uint8Array) => void hash.update(chunk), hex: () => hash.digest('hex') };
  };
  const clock = { now: () => 0, sleep: () => Promise.resolve() };
  const inquiry = { unkeptSource: () => source } as never;
  const pull = (range: RangeRequest | undefined): NamedPull => ({
    kind: 'blob',
    repository,
    digest,
    head: false,
    range,
    conditions: {},
    namespace: undefined,
    inquiry,
  });
  return { asked, pull, store: new PastStore({ newHasher, clock } as never) };
}

describe('a client whose store gives up in the middle gets the rest past it', () => {
  /** Of which the store has sent the first 400. */
  async function goOn(range: RangeRequest | undefined) {
    const { store, asked, pull } = past();
    const { offset, length } = range === undefined ? { offset: 0, length: size } : resolveRange(range, size);
    async function* broken() {
      yield bytes.subarray(offset, offset + 400);
      throw new NoRoom('full');
    }
    const resolved = range && { offset, length };
    const content = { size, range: resolved, body: { kind: 'stream', stream: broken() } } as const;
    assert.ok(
      (await collect(store.surely(pull(range), content, signal))).equals(bytes.subarray(offset, offset + length)),
    );
    return asked;
  }

  it('from its first byte on, so that all of it is checked, if the end is open', async () => {
    assert.deepEqual(await goOn(undefined), ['0-']);
    assert.deepEqual(await goOn({ kind: 'from', offset: size - 1000 }), ['0-']);
  });

  it('and no more than that, if it asked for a suffix or for a bounded range, wherever that ends', async () => {
    for (const range of [suffix, toItsEnd]) assert.deepEqual(await goOn(range), [`${size - 600}-${size}`]);
    assert.deepEqual(await goOn({ kind: 'between', offset: 1000, last: 1999 }), ['1400-2000']);
  });
});

describe('a bounded range past the store', () => {
  it('is asked for as one, and where it breaks off its rest, too', async () => {
    const { store, asked, pull } = past(300);
    const { body } = await store.reply(pull({ kind: 'between', offset: 1000, last: 1999 }), 'forward', signal);
    assert.ok(body.kind === 'stream');
    assert.ok((await collect({ size, range: undefined, body })).equals(bytes.subarray(1000, 2000)));
    assert.deepEqual(asked, ['1000-2000', '1300-2000']);
  });

  it('that asks for nothing is refused', async () => {
    const { store, asked, pull } = past();
    const nothing = store.reply(pull({ kind: 'between', offset: 500, last: 0 }), 'forward', signal);
    await assert.rejects(nothing, { status: 416 });
    assert.deepEqual(asked, ['500-']);
  });
});
