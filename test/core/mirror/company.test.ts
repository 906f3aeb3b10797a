// Whether a fill's lanes are to have company, by how fast they are.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Company } from '../../../src/core/mirror/company.ts';

const lanes = (...rates: number[]) => rates.map((rate) => ({ at: 0, stop: 1_000_000, rate }));

/** That was of no help: four are as fast as one was. */
function useless(): Company {
  const company = new Company();
  company.comesTo(lanes(20_000), 1000);
  assert.equal(company.helps, true, 'it is worth a try');
  company.judge(lanes(5000, 5000, 5000, 5000), 2000);
  assert.equal(company.helps, false);
  return company;
}

describe('company that was of no help', () => {
  it('is not tried again while those that are left bring a quarter of what one did alone', () => {
    const company = useless();
    for (let now = 2500; now < 60_000; now += 500) company.judge(lanes(5001), now);
    assert.equal(company.helps, false);
  });

  it('is not tried again because the last one does not have all of the link at once', () => {
    const company = useless();
    for (const now of [2500, 3000, 3500]) company.judge(lanes(4999), now);
    company.judge(lanes(20_000), 4000);
    for (const now of [4500, 5000, 5500]) company.judge(lanes(4999), now);
    assert.equal(company.helps, false);
  });

  it('is tried again when those that are left are much slower for long, and judged by that', () => {
    const company = useless();
    for (let now = 2500; now <= 4000; now += 500) company.judge(lanes(100), now);
    assert.equal(company.helps, true);
    company.comesTo(lanes(100), 4000);
    company.judge(lanes(100, 100), 5000);
    company.judge(lanes(10, 10), 5500);
    assert.equal(company.helps, true);
  });
});
