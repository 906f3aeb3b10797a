// Which endpoints are asked first.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import { Health } from '../../../src/core/upstream/health.ts';
import { UpstreamMemory } from '../../../src/core/upstream/memory.ts';
import { TestClock, sha256 } from './bench.ts';

const digest = sha256('x');
const minute = 60_000;

function begin(endpoints: readonly string[], mirrors: readonly string[] = []) {
  const clock = new TestClock();
  const events: MirrorEvent[] = [];
  const health = new Health(clock, (event) => void events.push(event), new UpstreamMemory());
  const order = (of?: typeof digest, current?: string) =>
    health.inOrder({ endpoints, mirrors, digest: of, current }).join('');
  const lied = (who: string, surely: boolean, of = digest) => health.lied(new Set(who), of, surely);
  return { clock, events, health, order, lied };
}

describe('an endpoint that fails', () => {
  it('is asked last for half a minute', () => {
    const { clock, health, order } = begin(['a', 'b', 'c']);
    assert.equal(order(), 'abc');
    health.failed('a');
    assert.equal(order(), 'bca');
    clock.time += 29_999;
    assert.equal(order(), 'bca');
    clock.time += 1;
    assert.equal(order(), 'abc');
  });

  it('again and again is so for twice as long each time, up to ten minutes; a body that it sends ends that', () => {
    const { clock, health, order, events } = begin(['a', 'b']);
    const lengths = [30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000];
    for (const ms of lengths) {
      health.failed('a');
      // What breaks meanwhile is the same failure.
      health.failed('a');
      clock.time += ms - 1;
      assert.equal(order(), 'ba');
      clock.time += 1;
      assert.equal(order(), 'ab');
    }
    assert.deepEqual(
      events.map((event) => event.kind === 'aside' && event.ms),
      lengths,
    );
    health.failed('a');
    health.sent('a');
    assert.equal(order(), 'ab');
    health.failed('a');
    clock.time += 30_000;
    assert.equal(order(), 'ab');
  });

  it('three times in a row comes after who is only suspected of having sent wrong bytes', () => {
    const { health, order, lied } = begin(['a', 'b'], ['m']);
    lied('b', true);
    health.failed('a');
    health.failed('a');
    assert.equal(order(digest), 'amb');
    health.failed('a');
    assert.equal(order(digest), 'mba');
    assert.equal(order(), 'bam');
    health.sent('a');
    assert.equal(order(digest), 'amb');
  });

  it('or limits us is left alone as long as it asks for, within reason', () => {
    const { clock, health, order } = begin(['a', 'b']);
    for (const [asked, ms] of [
      [0, 30_000],
      [60_000, 60_000],
      [86_400_000, 600_000],
    ] as const) {
      health.limited('a', asked);
      health.sent('a');
      clock.time += ms - 1;
      assert.equal(order(), 'ba');
      clock.time += 1;
      assert.equal(order(), 'ab');
    }
  });

  it('as all others do, is asked in turn with them', () => {
    const { clock, health, order } = begin(['a', 'b']);
    health.failed('b');
    health.failed('a');
    assert.equal(order(), 'ab');
    clock.time += 100;
    health.failed('a');
    assert.equal(order(), 'ba');
  });

  it('is not asked last if the clock was set back', () => {
    const { clock, health, order } = begin(['a', 'b']);
    health.failed('a');
    clock.time -= 1000;
    assert.equal(order(), 'ab');
  });
});

describe('an endpoint that lies about a digest', () => {
  it('is asked last for that digest, even after third parties, and for no other', () => {
    const { order, lied, events } = begin(['a', 'b'], ['m']);
    for (let times = 0; times < 2; times += 1) lied('a', true);
    assert.deepEqual([order(), order(sha256('y')), order(digest)], ['abm', 'abm', 'bma']);
    const told = { kind: 'aside', endpoint: 'a', digest, ms: undefined };
    assert.deepEqual(events, [told, told]);
  });

  it('and about another, surely both times, is asked last for all for ten minutes, whatever it sends', () => {
    const { clock, health, order, lied, events } = begin(['a', 'b'], ['m']);
    const other = sha256('y');
    lied('a', false);
    lied('a', true);
    assert.equal(order(), 'abm', 'what it is only suspected of does not count');
    lied('a', true, other);
    health.sent('a');
    assert.deepEqual([order(), order(digest)], ['bam', 'bma']);
    clock.time += 10 * minute;
    assert.deepEqual([order(), order(digest)], ['abm', 'bma']);
    assert.deepEqual(events.at(-1), { kind: 'aside', endpoint: 'a', digest: other, ms: 10 * minute });
  });

  it('is found out among several: one alone brings all of it, until it is known who it was', () => {
    const { order, lied } = begin(['a', 'b', 'c']);
    lied('ab', false);
    assert.equal(order(), 'abc', 'of other digests nothing is known');
    assert.equal(order(digest), 'cab');
    assert.equal(order(digest, 'c'), 'cab');
    assert.equal(order(digest, 'b'), 'bca');
    lied('c', true);
    assert.equal(order(digest), 'abc');
    lied('a', true);
    assert.equal(order(digest), 'bca');
    assert.equal(order(digest, 'a'), 'bca', 'who is known to have lied does not go on');
  });

  it('is forgotten before the memory of lies grows', () => {
    const { order, lied } = begin(['a', 'b']);
    for (let i = 0; i < 300; i += 1) lied('a', false, sha256(String(i)));
    assert.deepEqual([order(sha256('0')), order(sha256('299'))], ['ab', 'ba']);
  });
});
