// Lanes at work over links that are in trouble: all at once, or throttled on the way.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Source } from '../../../src/core/mirror/ports.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { bring, slow } from './bring.ts';
import type { VirtualClock, VirtualLink } from './virtual-link.ts';

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
