// Lanes at work over links that are in trouble: all at once, or throttled on the way.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Source } from '../../../src/core/mirror/ports.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { MB, bring, slow } from './bring.ts';
import type { LinkOptions, VirtualClock, VirtualLink } from './virtual-link.ts';

describe('lanes that fail together', () => {
  it('do not all count on each other: one waits until the upstream answers again', async () => {
    const fails = (now: number) => now > 5000 && now < 7000;
    let failing: Promise<never> | undefined;
    // As a token does that all of them wait for.
    const shared =
      (link: VirtualLink, clock: VirtualClock): Source =>
      async (...asked) => {
        await clock.sleep(10);
        if (!fails(clock.now())) return link.source(...asked);
        failing ??= clock.sleep(40).then(() => {
          failing = undefined;
          throw new RegistryError('UNAVAILABLE', 'no token');
        });
        return failing;
      };
    const isDown = (now: number) => now > 5000 && now < 5100;
    const { ms, link } = await bring({ ...slow, isDown }, { sources: (to, clock) => [shared(to, clock)] });
    assert.equal(link.mostOpen, 4);
    assert.ok(ms < 20_000, `${ms} ms`);
  });
});

describe('a connection that is throttled on its way', () => {
  const bytes = randomBytes(6, 200 * MB);
  /** Down to 20 KB a second, whichever was opened before. */
  const throttled =
    (since: number, each: number) =>
    (opened: number, now: number): number =>
      opened < since && now > since ? 20 : each;

  it('gets company again, even if that was of no help before', async () => {
    const shared: LinkOptions = { each: 12_000, all: 12_000, delay: 50, eachAt: throttled(14_000, 12_000) };
    const { ms, twice, link } = await bring(shared, { bytes });
    assert.ok(ms < (200 * MB) / 12_000 + 15_000, `${ms} ms: ${link.asked.join()}`);
    assert.ok(twice < 0.01);
  });

  it('is asked for again when all are, or when there is but one', async () => {
    for (const most of [1, 4]) {
      const each: LinkOptions = { ...slow, eachAt: throttled(10_000, 3000) };
      const { ms, twice, link } = await bring(each, { bytes, most });
      assert.ok(ms < (200 * MB) / 3000 / most + 15_000, `${ms} ms over ${most}: ${link.asked.join()}`);
      assert.ok(twice < 0.01);
    }
  });

  it('is not asked for again and again when no other is faster', async () => {
    const narrow: LinkOptions = { ...slow, eachAt: (_opened, now) => (now < 10_000 ? 3000 : 100) };
    const { link } = await bring(narrow, { bytes: bytes.subarray(0, 160 * MB) });
    assert.ok(link.asked.length < 20, link.asked.join());
  });
});
