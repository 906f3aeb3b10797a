// How fast bytes go to a client that has a limit, on all its connections together.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { here, none, step, there, World } from './limited.ts';

test('bytes come at the rate, and a client’s connections have equal parts of it', async () => {
  const world = new World();
  const settings = { ...none, bytes: { amount: 8e6, per: 1000 } };
  const mine = [1, 2, 3].map(() => world.connection(world.limits.paceOf(here, settings)));
  const others = world.connection(world.limits.paceOf(there, settings));
  await setImmediate();
  await world.pass(10_000);
  const all = mine.reduce((sum, { bytes }) => sum + bytes, 0);
  // A quarter of a second's worth at once, at the beginning.
  assert.ok(Math.abs(all - 82e6) < 4 * step, `${all}`);
  assert.ok(Math.abs(others.bytes - 82e6) < 4 * step, `${others.bytes}`);
  for (const { bytes } of mine) assert.ok(Math.abs(bytes - all / 3) <= 8 * step, `${bytes} of ${all}`);
  assert.equal(world.ticks.size, 1);
  assert.equal(world.limited('bytes', false), 4, 'once for each body');
});

test('however many connections there are, they get no more than the rate, and each a part every two seconds', async () => {
  for (const [amount, count] of [
    [1e6, 300],
    [1e5, 40],
  ] as const) {
    const world = new World();
    const settings = { ...none, bytes: { amount, per: 1000 } };
    const all = Array.from({ length: count }, () => world.connection(world.limits.paceOf(here, settings)));
    await world.pass(20_000);
    const sum = all.reduce((before, { bytes }) => before + bytes, 0);
    assert.ok(Math.abs(sum - 20.25 * amount) < 2 * step, `${sum}`);
    const longest = Math.max(...all.map((each) => each.longest));
    assert.ok(longest <= 2500, `${longest}`);
    for (const { bytes } of all) assert.ok(bytes > sum / count / 2, `${bytes} of ${sum}`);
  }
});

test('who asks for much at once gets it in parts, so that nobody waits long for what he owes', async () => {
  const world = new World();
  const settings = { ...none, bytes: { amount: 1e5, per: 1000 } };
  const large = world.limits.paceOf(here, settings)!;
  assert.equal(await large.take(4e6), 2e5);
  const other = world.connection(world.limits.paceOf(here, settings));
  await world.pass(2100);
  assert.ok(other.bytes > 0);
});

test('connections too many for 1 KiB a second each wait for longer, and get no less than 2 KiB', async () => {
  const world = new World();
  const settings = { ...none, bytes: { amount: 1e5, per: 1000 } };
  const all = Array.from({ length: 400 }, () => world.connection(world.limits.paceOf(here, settings)));
  await world.pass(20_000);
  const sum = all.reduce((before, { bytes }) => before + bytes, 0);
  assert.ok(sum < 2.1e6, `${sum}`);
  for (const { bytes } of all) assert.ok(bytes >= 4096 && bytes < 4 * step, `${bytes}`);
});

test('a body that is given up leaves its turn to those behind it, and takes nothing', async () => {
  const world = new World();
  const settings = { ...none, bytes: { amount: 1e5, per: 1000 } };
  const paces = Array.from({ length: 200 }, () => world.limits.paceOf(here, settings)!);
  assert.equal(paces[0]!.take(step), step);
  const turns = paces.slice(1).map(async (pace) => pace.take(step));
  const live = Promise.resolve(world.limits.paceOf(here, settings)!.take(step));
  for (const pace of paces) pace.leave();
  assert.deepEqual(new Set(await Promise.all(turns)), new Set([0]));
  await world.pass(700);
  assert.equal(await Promise.race([live, Promise.resolve('waits')]), step);
  assert.equal(world.ticks.size, 0);
});
