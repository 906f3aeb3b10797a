// Lanes at work over links in virtual time: how long they take, what they ask for, and that nothing comes twice.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Source } from '../../../src/core/mirror/ports.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { MB, blob, bring, slow } from './bring.ts';
import type { LinkOptions, VirtualLink } from './virtual-link.ts';

describe('a blob over a link', () => {
  it('on which each connection is slow takes less than a third of the time over four', async () => {
    const one = await bring(slow, { most: 1 });
    const four = await bring(slow);
    assert.deepEqual(one.link.asked, ['0-']);
    assert.ok(four.ms < one.ms * 0.33, `${four.ms} ms, not ${one.ms}`);
    assert.ok(four.twice < 0.01);
    assert.equal(four.link.mostOpen, 4);
    assert.equal(four.link.asked.length, 4, four.link.asked.join());
  });

  it('that is fast comes over one', async () => {
    const { link, twice } = await bring({ each: 100_000, all: 100_000, delay: 5 });
    assert.deepEqual(link.asked, ['0-']);
    assert.equal(twice, 0);
  });

  it('that is slow because we are comes over one', async () => {
    const { link } = await bring(slow, { busy: true });
    assert.deepEqual(link.asked, ['0-']);
  });

  it('that one connection fills is asked for little more than once, and is not slower for it', async () => {
    const narrow: LinkOptions = { each: 12_000, all: 12_000, delay: 50 };
    const bytes = randomBytes(6, 200 * MB);
    const one = await bring(narrow, { most: 1, bytes });
    const four = await bring(narrow, { bytes });
    assert.ok(four.ms < one.ms * 1.03, `${four.ms} ms, not ${one.ms}`);
    assert.ok(four.twice < 0.01);
    assert.ok(four.link.asked.length <= 6, four.link.asked.join());
  });

  it('comes in over one that ignores ranges, and over none but that', async () => {
    const { link, twice } = await bring({ ...slow, ranges: () => false });
    assert.ok(link.mostOpen <= 2);
    assert.ok(twice < 0.05, `${twice}: what came before it was known`);
  });

  it('has all its gaps filled over one connection by an upstream that gives no ranges any more', async () => {
    const breaksAt = [14, 10, 11, 12].map((each) => each * MB);
    const { link } = await bring({
      ...slow,
      ranges: (ms) => ms < 4000,
      resetAfter: () => breaksAt.shift() ?? Infinity,
    });
    assert.equal(link.mostOpen, 4);
    const [, , , , ...later] = link.asked;
    assert.ok(later.length <= 5, `${link.asked.join()}: whoever broke off asks once, and then one brings the rest`);
    assert.ok(link.sent < 2 * blob.length, `${link.sent}`);
  });

  it('goes on over what is granted when no more connections are', async () => {
    for (const granted of [1, 2]) {
      const { link, ms } = await bring({ ...slow, most: () => granted });
      assert.equal(link.mostOpen, granted);
      assert.ok(ms < (64 * MB) / 3000 / granted + 4000, `${ms} ms over ${granted}`);
    }
  });

  it('has several again when the upstream grants them again', async () => {
    const bytes = randomBytes(6, 200 * MB);
    const { link, ms } = await bring({ ...slow, most: (now) => (now < 5000 ? 1 : 4) }, { bytes });
    assert.equal(link.mostOpen, 4);
    assert.ok(ms < 45_000, `${ms} ms`);
    assert.ok(link.asked.length < 12, link.asked.join());
  });

  it('goes on without a source that refuses, and fails when none is left', async () => {
    const refuse = (after: number, link: VirtualLink): Source => {
      let times = 0;
      return (...asked) =>
        (times += 1) > after ? Promise.reject(new RegistryError('DENIED', 'no more')) : link.source(...asked);
    };
    const { link } = await bring(slow, { sources: (to) => [refuse(2, to), to.source] });
    assert.equal(link.mostOpen, 4);
    // One connection is open, and who it is from does not refuse that.
    await bring(slow, { sources: (to) => [refuse(1, to)] });
    const broken = { ...slow, resetAfter: () => MB };
    await assert.rejects(bring(broken, { sources: (to) => [refuse(2, to)] }), { code: 'DENIED' });
  });

  it('comes through resets every 6 MB or so with hardly a byte fetched twice', async () => {
    const resets = numbers(7);
    const { twice, ms } = await bring({ ...slow, resetAfter: () => resets() * 12 * MB });
    assert.ok(twice < 0.01, `${twice}`);
    assert.ok(ms < 15_000, `${ms} ms`);
  });

  it('gives a reader far ahead his bytes at once, and a suffix too', async () => {
    const link: LinkOptions = { each: 20_000, all: 20_000, delay: 50 };
    const times: number[] = [];
    const { twice } = await bring(link, {
      meanwhile: async ({ clock, has }) => {
        for (const at of [57 * MB, 64 * MB - 65_536, 30 * MB]) {
          const began = clock.now();
          await has(at, at + 65_536);
          times.push(clock.now() - began);
        }
      },
    });
    for (const ms of times) assert.ok(ms < 200, times.join());
    assert.ok(twice < 0.01, `${twice}`);
  });

  it('gives him his bytes though all lanes are taken', async () => {
    let took = 0;
    const { twice } = await bring(slow, {
      meanwhile: async ({ clock, has }) => {
        await clock.sleep(4000);
        const began = clock.now();
        await has(63 * MB, 63 * MB + 65_536);
        took = clock.now() - began;
      },
    });
    assert.ok(took < 500, `${took} ms`);
    assert.ok(twice < 0.01, `${twice}`);
  });

  it('is brought in whole, byte by byte, over whatever link and whoever reads', async () => {
    const link = fc.record({
      each: fc.integer({ min: 500, max: 60_000 }),
      all: fc.integer({ min: 2000, max: 60_000 }),
      delay: fc.integer({ min: 1, max: 400 }),
    });
    const reads = fc.array(
      fc.record({ at: fc.nat(999), length: fc.integer({ min: 1, max: 400 }), pause: fc.nat(900) }),
      {
        maxLength: 12,
      },
    );
    await fc.assert(
      fc.asyncProperty(
        link,
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 1, max: 12 * MB }),
        fc.option(fc.nat(99), { nil: undefined }),
        reads,
        async (options, most, size, seed, ranges) => {
          const next = numbers(seed ?? 0);
          const resets = seed === undefined ? {} : { resetAfter: () => 100_000 + next() * 4 * MB };
          const { link: used } = await bring(
            { ...options, ...resets },
            {
              most,
              bytes: blob.subarray(0, size).slice(),
              meanwhile: async ({ clock, has }) => {
                const all: Promise<void>[] = [];
                for (const { at, length, pause } of ranges) {
                  await clock.sleep(pause);
                  const from = Math.floor((at * size) / 1000);
                  all.push(has(from, Math.min(size, from + length * 1000)));
                }
                await Promise.all(all);
              },
            },
          );
          assert.ok(used.mostOpen <= most);
        },
      ),
      { seed: 1, numRuns: 60 },
    );
  });
});

/** From 0 to below 1, the same for a seed. */
function numbers(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
