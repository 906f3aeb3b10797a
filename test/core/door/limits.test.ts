// Requests and blobs of a client that has limits: who waits, for how long, and who is refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { type Asked, here, none, there, World } from './limited.ts';

const states = (all: readonly Asked[]): string => all.map(({ state }) => state[0]).join('');

test('requests over the rate wait for their turn, in their order, and no timer runs when nobody waits', async () => {
  const world = new World();
  const requests = { amount: 2, per: 1000 };
  const all = Array.from({ length: 5 }, () => world.ask({ requests }));
  await setImmediate();
  assert.equal(states(all), 'hhwww');
  assert.equal(world.ticks.size, 1);
  await world.pass(500);
  assert.equal(states(all), 'hhhww');
  await world.pass(1000);
  assert.equal(states(all), 'hhhhh');
  assert.equal(world.ticks.size, 0);
  assert.equal(world.limited('requests', false), 3);
});

test('who would wait for more than ten seconds is refused at once, in words that say whose limit it is', async () => {
  const world = new World();
  const requests = { amount: 1, per: 1000 };
  const all = Array.from({ length: 12 }, () => world.ask({ requests }));
  await setImmediate();
  assert.equal(states(all), 'hwwwwwwwwwwr');
  const { error } = all[11]!;
  assert.ok(error instanceof RegistryError);
  assert.deepEqual(
    [error.status, error.headers, error.detail],
    [429, { 'retry-after': '1' }, { limitedBy: 'this mirror' }],
  );
  assert.equal(world.limited('requests', true), 1);
  await world.pass(10_000);
  assert.equal(states(all), 'hhhhhhhhhhhr');
});

test('one that leaves makes room for those behind it', async () => {
  const world = new World();
  const requests = { amount: 1, per: 1000 };
  const leaving = new AbortController();
  const [, second, third] = [
    world.ask({ requests }),
    world.ask({ requests }, here, { signal: leaving.signal }),
    world.ask({ requests }),
  ];
  await setImmediate();
  leaving.abort(new Error('left'));
  await world.pass(1000);
  assert.equal(states([second, third]), 'rh');
  assert.equal((second.error as Error).message, 'left');
  assert.equal(world.ticks.size, 0);
});

test('one client has no part in the limits of another; a network of IPv6 is one, and so is an account wherever it is', async () => {
  const world = new World();
  const requests = { amount: 1, per: 1000 };
  const account = { name: 'alice', allow: [] };
  for (const [first, second, expected] of [
    [here, there, 'hh'],
    [{ address: '2001:db8::1' }, { address: '2001:db8::2' }, 'hw'],
    [{ address: '2001:db8:0:1::1' }, { address: '2001:db8:0:2::1' }, 'hh'],
    [{ address: '192.0.2.3', account }, { address: '192.0.2.4', account }, 'hw'],
    [{ address: '192.0.2.5' }, { address: '192.0.2.5', account: { name: 'bob', allow: [] } }, 'hh'],
  ] as const) {
    const all = [world.ask({ requests }, first), world.ask({ requests }, second)];
    await setImmediate();
    assert.equal(states(all), expected, JSON.stringify([first, second]));
  }
});

test('on the loopback nobody is limited, unless that is said', async () => {
  for (const address of ['127.0.0.1', '127.1.2.3', '::1']) {
    const world = new World();
    const settings = { requests: { amount: 1, per: 3_600_000 }, bytes: { amount: 1e5, per: 1000 }, pulls: 1 };
    const all = [1, 2, 3].map(() => world.ask(settings, { address }, { blob: true }));
    await setImmediate();
    assert.equal(states(all), 'hhh');
    assert.ok(all.every(({ ration }) => ration === undefined));
    assert.equal(world.limits.paceOf({ address }, { ...none, ...settings }), undefined);
    const limited = [1, 2].map(() => world.ask({ ...settings, loopback: true }, { address }));
    await setImmediate();
    assert.equal(states(limited), 'hr');
  }
});

test('blobs over their number wait until one is over; manifests do not', async () => {
  const world = new World();
  const [first, second, third] = [1, 2, 3].map(() => world.ask({ pulls: 2 }, here, { blob: true }));
  const manifest = world.ask({ pulls: 2 });
  const other = world.ask({ pulls: 2 }, there, { blob: true });
  await setImmediate();
  assert.equal(states([first!, second!, third!, manifest, other]), 'hhwhh');
  second!.ration?.over();
  await setImmediate();
  assert.equal(third!.state, 'has');
  assert.equal(world.limited('pulls', false), 1);
});

test('who waits for ten seconds for a place among them is refused, and whoever leaves holds none', async () => {
  const world = new World();
  const leaving = new AbortController();
  const first = world.ask({ pulls: 1 }, here, { blob: true });
  const left = world.ask({ pulls: 1 }, here, { blob: true, signal: leaving.signal });
  const late = world.ask({ pulls: 1 }, here, { blob: true });
  await setImmediate();
  leaving.abort(new Error('left'));
  await world.pass(9950);
  assert.equal(states([first, left, late]), 'hrw');
  await world.pass(50);
  assert.equal((late.error as RegistryError).status, 429);
  first.ration?.over();
  const next = world.ask({ pulls: 1 }, here, { blob: true });
  await setImmediate();
  assert.equal(next.state, 'has');
});

test('who has waited for his turn waits for a place only as long as is left of ten seconds', async () => {
  const world = new World();
  const settings = { requests: { amount: 1, per: 6000 }, pulls: 1 };
  const [first, second] = [1, 2].map(() => world.ask(settings, here, { blob: true }));
  await world.pass(6000);
  assert.equal(states([first!, second!]), 'hw');
  await world.pass(3900);
  assert.equal(second!.state, 'waits');
  await world.pass(150);
  assert.equal((second!.error as RegistryError).status, 429);
});

test('only so many wait for a place: more are refused at once, and whoever leaves makes room', async () => {
  const world = new World();
  const leaving = new AbortController();
  const [blob, { signal }] = [true, leaving];
  world.ask({ pulls: 2 }, here, { blob });
  world.ask({ pulls: 2 }, here, { blob });
  const all = Array.from({ length: 64 }, () => world.ask({ pulls: 2 }, here, { blob, signal }));
  const late = world.ask({ pulls: 2 }, here, { blob });
  await setImmediate();
  assert.equal(states([...all, late]), `${'w'.repeat(64)}r`);
  const { status, headers } = late.error as RegistryError;
  assert.deepEqual([status, headers], [429, { 'retry-after': '10' }]);
  assert.equal(world.limited('pulls', true), 1);
  leaving.abort(new Error('left'));
  const next = world.ask({ pulls: 2 }, here, { blob });
  await setImmediate();
  assert.equal(next.state, 'waits');
});

test('what changes counts for who waits already, and what was taken still counts', async () => {
  const world = new World();
  const slow = { amount: 1, per: 3_600_000 };
  const first = world.ask({ requests: slow });
  const second = world.ask({ requests: { amount: 1, per: 1000 } });
  await setImmediate();
  assert.equal(states([first, second]), 'hw');
  await world.pass(1000);
  assert.equal(second.state, 'has');
});

test('a clock that is set back brings nothing in, and costs nothing', async () => {
  const world = new World();
  const requests = { amount: 1, per: 1000 };
  world.ask({ requests });
  world.time -= 4000;
  const second = world.ask({ requests });
  await setImmediate();
  assert.equal(second.state, 'waits');
  await world.pass(1000);
  assert.equal(second.state, 'has');
});
