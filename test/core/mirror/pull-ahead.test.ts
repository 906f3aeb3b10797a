// The bounds of what is fetched ahead: of manifests that claim what they like, and whatever is asked for in any order.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { BlobFlights } from '../../../src/core/mirror/blob-flights.ts';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import type { AheadLimits, BlobParts } from '../../../src/core/mirror/parts.ts';
import type { Fill } from '../../../src/core/mirror/ports.ts';
import { PullAhead } from '../../../src/core/mirror/pull-ahead.ts';
import type { Descriptor } from '../../../src/core/oci/descriptor.ts';
import { type Digest, parseDigest } from '../../../src/core/oci/digest.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { readManifest } from '../../../src/core/oci/manifest.ts';
import { types } from '../../fakes/registry/content.ts';

const repository = { registry: 'docker.io', name: 'library/app' };
const digestOf = (number: number): Digest => parseDigest(`sha256:${number.toString(16).padStart(64, '0')}`);
const layerOf = (number: number, size = 10) => ({ mediaType: types.oci.layer, digest: digestOf(number), size });
const config = { mediaType: types.oci.config, digest: digestOf(0), size: 2 };

interface Running {
  /** With the size that the upstream tells. */
  answer(size: number): void;
  end(error?: Error): void;
}

/** Pull-ahead with real flights, over a store in which nothing rests but what the test has ended well. */
function bench(ahead: AheadLimits) {
  const running = new Map<Digest, Running>();
  const here = new Set<Digest>();
  const events: MirrorEvent[] = [];
  const closing = new AbortController();
  let resting: RegistryError | undefined;
  const fill = (digest: Digest): Fill => {
    const head = Promise.withResolvers<number | undefined>();
    const over = Promise.withResolvers<void>();
    for (const promise of [head.promise, over.promise]) promise.catch(() => {});
    running.set(digest, {
      answer: head.resolve,
      end(error) {
        running.delete(digest);
        if (error === undefined) here.add(digest);
        head.resolve(10);
        if (error === undefined) over.resolve();
        else over.reject(error);
      },
    });
    return { size: head.promise, done: over.promise, open: () => Promise.reject(new Error('nobody reads here')) };
  };
  const parts = {
    ahead,
    clock: { now: () => 1_750_000_000_000 },
    closing: closing.signal,
    inquiry: {
      party: () => 'anybody',
      origin: () => '*',
      resting: () => resting,
      // The repository's own upstream answers for whatever comes.
      source: (_repository: unknown, _digest: unknown, told: (has: boolean) => void) => {
        told(true);
        return () => {};
      },
      proven: async () => {},
      doubt: async () => {},
      leaveAlone: () => {},
    },
    book: { standing: async () => ({ size: 10 }) },
    lanes: () => 4,
    report: (event: MirrorEvent) => void events.push(event),
    origins: { opens: async () => true, learn: async () => {} },
    store: { stat: async (digest: Digest) => (here.has(digest) ? 10 : undefined), fill },
  };
  const flights = new BlobFlights(parts as unknown as BlobParts, () => {});
  const pullAhead = new PullAhead(parts as unknown as BlobParts, flights);
  const fills = () => events.flatMap((event) => (event.kind === 'fill' && event.ahead ? [event.digest] : []));
  return {
    running,
    closing,
    /** In the order in which they began. */
    fills,
    rest: (error: RegistryError) => (resting = error),
    send(layers: readonly object[], tag = 1): void {
      const document = { schemaVersion: 2, mediaType: types.oci.manifest, config, layers };
      const bytes = new TextEncoder().encode(JSON.stringify(document));
      pullAhead.sent(repository, digestOf(0xffff + tag), readManifest(bytes, types.oci.manifest));
    },
    /** As a client's pull does, when it is answered. */
    async want(digest: Digest, isHere = true, leaving?: AbortSignal): Promise<void> {
      if (isHere) here.add(digest);
      else if (!here.has(digest) && flights.get(digest) === undefined) {
        flights.start({ ...parts, repository, digest } as never, undefined);
      }
      pullAhead.wanted(repository, digest, leaving);
      await quiet();
    },
    async end(digest: Digest, error?: Error): Promise<void> {
      running.get(digest)?.end(error);
      await quiet();
    },
  };
}

/** Nothing here waits for anything but promises. */
const quiet = () => setImmediate();

const digests = (layers: readonly Descriptor[]) => layers.map(({ digest }) => digest);

describe('of what a manifest claims', () => {
  it('only 128 layers come, however many it lists', async () => {
    const { send, want, fills, end, running } = bench({ flights: 3, bytes: Infinity });
    send(Array.from({ length: 10_000 }, (_, number) => layerOf(number + 1)));
    await want(digestOf(1));
    while (running.size > 0) for (const digest of running.keys()) await end(digest);
    assert.equal(fills().length, 127);
  });

  it('each layer comes once, and neither the config nor what clients fetch from elsewhere', async () => {
    const { send, want, fills } = bench({ flights: 16, bytes: Infinity });
    const foreign = { ...layerOf(7), urls: ['https://example.com/x'] };
    const windows = { ...layerOf(8), mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' };
    send([layerOf(1), layerOf(2), foreign, layerOf(2), config, windows, layerOf(1), layerOf(3)]);
    await want(digestOf(0));
    assert.deepEqual(fills(), []);
    await want(digestOf(1));
    assert.deepEqual(fills(), [digestOf(2), digestOf(3)]);
  });

  it('only so many bytes come, and what does not fit is passed over', async () => {
    const { send, want, fills } = bench({ flights: 16, bytes: 100 });
    send([layerOf(1, 50), layerOf(2, 1000), layerOf(3, 40), layerOf(4, 20), layerOf(5, 10)]);
    await want(digestOf(1));
    assert.deepEqual(fills(), [digestOf(3), digestOf(5)]);
  });

  it('nothing further comes when one has another size than it says', async () => {
    const { send, want, fills, end, running } = bench({ flights: 1, bytes: 100 });
    send([layerOf(1), layerOf(2), layerOf(3)]);
    await want(digestOf(1));
    running.get(digestOf(2))?.answer(1_000_000);
    await quiet();
    await end(digestOf(2));
    assert.deepEqual(fills(), [digestOf(2)]);
  });
});

describe('nothing further is begun', () => {
  const three = [layerOf(1), layerOf(2), layerOf(3)];

  it('after one that failed', async () => {
    const { send, want, fills, end } = bench({ flights: 1, bytes: 100 });
    send(three);
    await want(digestOf(1));
    await end(digestOf(2), new RegistryError('UNAVAILABLE', 'by the test'));
    await want(digestOf(1));
    assert.deepEqual(fills(), [digestOf(2)]);
  });

  it('while the upstream rests', async () => {
    const { send, want, fills, end, rest } = bench({ flights: 1, bytes: 100 });
    send(three);
    await want(digestOf(1));
    rest(new RegistryError('TOOMANYREQUESTS', 'by the test'));
    await end(digestOf(2));
    assert.deepEqual(fills(), [digestOf(2)]);
  });

  it('when the mirror closes', async () => {
    const { send, want, fills, end, closing } = bench({ flights: 1, bytes: 100 });
    send(three);
    await want(digestOf(1));
    closing.abort();
    await end(digestOf(2));
    assert.deepEqual(fills(), [digestOf(2)]);
  });
});

it('what was sent longest ago is forgotten when many others were sent', async () => {
  const { send, want, fills } = bench({ flights: 1, bytes: 100 });
  for (let tag = 1; tag <= 257; tag += 1) send([layerOf(2 * tag), layerOf(2 * tag + 1)], tag);
  await want(digestOf(2));
  assert.deepEqual(fills(), []);
  await want(digestOf(4));
  assert.deepEqual(fills(), [digestOf(5)]);
});

it('a layer of several images brings only what all of them list', async () => {
  const { send, want, fills } = bench({ flights: 16, bytes: 1000 });
  send([layerOf(1), layerOf(2), layerOf(3)], 1);
  send([layerOf(1), layerOf(2), layerOf(4)], 2);
  await want(digestOf(1));
  assert.deepEqual(fills(), [digestOf(2)]);
  await want(digestOf(3));
  await want(digestOf(2));
  assert.deepEqual(fills(), [digestOf(2)]);
});

it('whatever is asked for, and ends, in any order: so many at once, only what follows what was wanted, each once', async () => {
  const image = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 8 });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('want' as const), layer: fc.nat(12), here: fc.boolean() }),
    fc.record({ kind: fc.constant('end' as const), nth: fc.nat(10), fails: fc.boolean() }),
  );
  const cases = fc.record({
    flights: fc.nat(4),
    bytes: fc.integer({ min: 0, max: 80 }),
    images: fc.array(image, { maxLength: 3 }),
    steps: fc.array(step, { maxLength: 25 }),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ flights, bytes, images, steps }) => {
      const { send, want, end, fills, running } = bench({ flights, bytes });
      const lists = images.map((numbers) => numbers.map((number) => layerOf(number)));
      for (const [tag, layers] of lists.entries()) send(layers, tag);
      const wanted = new Set<Digest>();
      for (const each of steps) {
        const before = fills().length;
        if (each.kind === 'want') {
          wanted.add(digestOf(each.layer));
          await want(digestOf(each.layer), each.here);
        } else {
          const digest = [...running.keys()][each.nth % Math.max(1, running.size)];
          if (digest !== undefined) await end(digest, each.fails ? new Error('by the test') : undefined);
        }
        const ahead = fills().filter((digest) => running.has(digest));
        assert.ok(ahead.length <= flights);
        for (const layers of fills().length > before && lists.length === 1 ? lists : []) {
          assert.ok(digests(layers).filter((digest) => running.has(digest)).length <= flights);
        }
      }
      if (lists.length < 2) assert.equal(new Set(fills()).size, fills().length);
      for (const digest of fills()) {
        const follows = lists.some((layers) => {
          const at = digests(layers).findIndex((other) => other === digest);
          return digests(layers.slice(0, Math.max(0, at))).some((before) => wanted.has(before));
        });
        assert.ok(follows, `${String(digest)} was begun although nothing before it was wanted`);
      }
      assert.ok(fills().length * 10 <= bytes * Math.max(1, lists.length));
    }),
    { numRuns: 300, seed: 20261120 },
  );
});
