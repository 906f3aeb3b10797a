// What the bench makes of its samples.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Column, type Figure, type Goal, median, type Verdict, verdictsOn } from '../../bench/figures.ts';

const column = (...samples: readonly number[]): Column => ({ samples, failed: [] });
const figure = (direct: Column, sampan: Column, goal?: Goal): Figure => ({
  name: 'x',
  unit: 's',
  against: 'direct',
  columns: { direct, sampan },
  ...(goal && { goal }),
});

const verdictOn = (one: Figure): Verdict => verdictsOn(one)[0]!;

test('the median is the middle one, or the mean of the two', () => {
  assert.equal(median([9, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([]), undefined);
});

test('a goal is met by the value, the ratio or the difference', () => {
  const met = (of: Goal['of'], most: number) => verdictOn(figure(column(10), column(11), { of, most })).met;
  assert.deepEqual([met('value', 11), met('value', 10)], [true, false]);
  assert.deepEqual([met('ratio', 1.1), met('ratio', 1.05)], [true, false]);
  assert.deepEqual([met('difference', 1), met('difference', 0.5)], [true, false]);
});

test('a goal may also be the least that is to be reached, beside one server or two', () => {
  const columns = { sampan: column(30), direct: column(20), other: column(40) };
  const ratio = (least: number): Goal => ({ of: 'ratio', least });
  const one = { name: 'x', unit: 'MB/s', columns, against: 'direct', goal: ratio(1.5) };
  assert.deepEqual(verdictsOn({ ...one, also: { against: 'other', goal: ratio(1) } }), [
    { against: 'direct', goal: ratio(1.5), ratio: 1.5, met: true },
    { against: 'other', goal: ratio(1), ratio: 0.75, met: false },
  ]);
});

test('a goal is not met if a measurement of sampan failed, however good the others are', () => {
  const partly = { samples: [1], failed: ['late'] };
  assert.equal(verdictOn(figure(column(10), partly, { of: 'ratio', most: 1 })).met, false);
  assert.equal(verdictOn(figure(column(10), { samples: [], failed: ['late'] }, { of: 'ratio', most: 1 })).met, false);
});

test('nothing is said where there is nothing to compare', () => {
  const failed = { samples: [], failed: ['late'] };
  const { ratio, met } = verdictOn(figure(failed, column(1), { of: 'ratio', most: 1 }));
  assert.deepEqual([ratio, met], [undefined, undefined]);
});
