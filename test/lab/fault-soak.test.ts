// A seeded walk through days of bad luck: upstreams, disk, clients and restarts come and go, and what is promised holds at every step.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Walk } from './fault-walk.ts';
import { needMounts } from './small-disk.ts';

const mounts = needMounts() === false;
const [from, to] = (process.env['SAMPAN_SOAK_SEEDS'] ?? '1-3').split('-').map(Number);
assert.ok(from !== undefined);

describe('a walk through faults', () => {
  for (let seed = from; seed <= (to ?? from); seed += 1) {
    it(`of ${mounts ? 'upstreams and disk' : 'upstreams'}, with seed ${seed}`, { timeout: 120_000 }, async () => {
      const walk = await Walk.begin(seed, mounts);
      for (let day = 0; day < 6; day += 1) await walk.day();
    });
  }
});
