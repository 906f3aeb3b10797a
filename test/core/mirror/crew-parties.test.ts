// Lanes at work where several parties have the blob: one that breaks off or crawls keeps nobody from what another one sends.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Source } from '../../../src/core/mirror/ports.ts';
import { MB, blob, bring } from './bring.ts';
import { type LinkOptions, type VirtualClock, VirtualLink } from './virtual-link.ts';

const good: LinkOptions = { each: 20_000, all: 20_000, delay: 50 };
const bytes = blob.subarray(0, 6 * MB);

/** The link is the first party's; another one joins it `after` milliseconds, over a link of its own. */
async function beside(bad: LinkOptions, { most = 4, after = 100 } = {}) {
  let other: VirtualLink | undefined;
  const sources = (link: VirtualLink, clock: VirtualClock): Iterable<Source> => {
    const joined = new VirtualLink(bytes, clock, good);
    other = joined;
    return { [Symbol.iterator]: () => [link.source, ...(clock.now() < after ? [] : [joined.source])].values() };
  };
  const told = await bring(bad, { bytes, most, sources });
  return { ...told, other: other ?? assert.fail() };
}

describe('a first party', () => {
  it('whose bodies break off is not asked for the rest while there is another', async () => {
    for (const most of [1, 4]) {
      const { link, other, ms } = await beside({ ...good, resetAfter: () => 1000 }, { most });
      assert.deepEqual([link.asked, other.asked], [['0-'], ['1000-']]);
      assert.ok(ms < 1500, `${ms} ms`);
    }
  });

  it('that breaks off again and again before another one joins keeps nobody long', async () => {
    const { other, ms } = await beside({ ...good, resetAfter: () => 1000 }, { after: 3000 });
    assert.equal(other.asked.length, 1);
    assert.ok(ms < 6000, `${ms} ms`);
  });

  it('that crawls gets its company from another', async () => {
    const { link, other, ms } = await beside({ each: 30, all: 120, delay: 50 });
    assert.deepEqual(link.asked, ['0-']);
    assert.ok(other.asked.length > 0);
    assert.ok(ms < 15_000, `${ms} ms: ${other.asked.join()}`);
  });

  it('that was quick and crawls is not asked again', async () => {
    const { link, ms } = await beside({ ...good, eachAt: (_, now) => (now < 150 ? 20_000 : 20) }, { most: 1 });
    assert.deepEqual(link.asked, ['0-']);
    assert.ok(ms < 15_000, `${ms} ms`);
  });

  it('and another that both break off are asked in turn', async () => {
    const resets: LinkOptions = { ...good, resetAfter: () => MB };
    const asked: string[] = [];
    const sources = (link: VirtualLink): Source[] =>
      ['a', 'b', 'c'].map((name) => (...where) => {
        asked.push(name);
        return link.source(...where);
      });
    await bring(resets, { bytes, most: 1, sources });
    assert.equal(asked.join(''), 'abcabc');
  });
});
