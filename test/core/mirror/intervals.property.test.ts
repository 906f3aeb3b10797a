// The set of what is here, against the simplest one that could be: a flag for each byte.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Intervals } from '../../../src/core/mirror/intervals.ts';

const most = 60;
const piece = fc
  .tuple(fc.nat(most), fc.nat(most))
  .map(([one, other]) => [Math.min(one, other), Math.max(one, other)] as const);
const step = fc.tuple(fc.constantFrom('add' as const, 'add' as const, 'remove' as const), piece);

test('it is what a flag for each byte would be', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.nat(most), fc.nat(most), (steps, offset, limit) => {
      const here = new Intervals();
      const flags = new Set<number>();
      for (const [what, [start, end]] of steps) {
        here[what](start, end);
        for (let byte = start; byte < end; byte += 1) flags[what === 'add' ? 'add' : 'delete'](byte);
      }
      const list = [...here];
      assert.deepEqual(
        list.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, index) => start + index)),
        [...flags].toSorted((one, other) => one - other),
      );
      for (const [index, { start }] of list.entries()) {
        assert.ok(index === 0 || list[index - 1]!.end < start, 'pieces that touch are one');
      }
      assert.equal(here.total, flags.size);
      assert.equal(here.front, firstMissing(flags, 0));
      assert.equal(here.endAt(offset), firstMissing(flags, offset));

      const start = firstMissing(flags, offset);
      let end = start;
      while (end < limit && !flags.has(end)) end += 1;
      assert.deepEqual(here.gapAt(offset, limit), start < end ? { start, end } : undefined);
    }),
    { seed: 1, numRuns: 2000 },
  );
});

test('a gap has no end where nothing ends it', () => {
  const here = new Intervals();
  assert.deepEqual(here.gapAt(7, Infinity), { start: 7, end: Infinity });
  here.add(5, 10);
  assert.deepEqual(here.gapAt(0, Infinity), { start: 0, end: 5 });
  assert.deepEqual(here.gapAt(5, Infinity), { start: 10, end: Infinity });
});

function firstMissing(flags: ReadonlySet<number>, offset: number): number {
  let byte = offset;
  while (flags.has(byte)) byte += 1;
  return byte;
}
