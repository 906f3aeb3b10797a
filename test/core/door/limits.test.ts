import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Caller } from '../../../src/core/access/caller.ts';
import type { Allowance, Pace } from '../../../src/core/door/limit.ts';
import { Limits, type LimitSettings } from '../../../src/core/door/limits.ts';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';

const none: LimitSettings = { requests: undefined, bytes: undefined, pulls: undefined, loopback: false };
const here: Caller = { address: '192.0.2.1' };
const there: Caller = { address: '192.0.2.2' };
const step = 65_536;

class World {
  readonly events: MirrorEvent[] = [];
  time = 5000;
  readonly ticks = new Set<() => void>();
  readonly limits = new Limits({
    now: () => this.time,
    every: (ms, tick) => {
      assert.equal(ms, 50);
      this.ticks.add(tick);
      return () => void this.ticks.delete(tick);
    },
    report: (event) => void this.events.push(event),
  });

  /** In steps of the timer's; in each, whoever has got something goes on. */
  async pass(ms: number): Promise<void> {
    for (const end = this.time + ms; this.time < end;) {
      this.time += 50;
      for (const tick of this.ticks) tick();
      await setImmediate();
    }
  }

  ask(
    settings: Partial<LimitSettings>,
    caller = here,
    { blob = false, signal = new AbortController().signal } = {},
  ): Asked {
    const asked: Asked = { state: 'waits' };
    this.limits
      .by({ ...none, ...settings })(caller, { blob, signal })
      .then(
        (allowance) => Object.assign(asked, { state: 'has', allowance }),
        (error: unknown) => Object.assign(asked, { state: 'refused', error }),
      );
    return asked;
  }

  /** A connection that takes steps for as long as the test goes on. */
  connection(pace: Pace | undefined, size = step): { bytes: number; longest: number } {
    const got = { bytes: 0, longest: 0 };
    void (async () => {
      for (let at = this.time; this.time < 1e6; at = this.time) {
        const bytes = await pace?.take(size);
        got.longest = Math.max(got.longest, this.time - at);
        got.bytes += bytes ?? size;
        await Promise.resolve();
      }
    })();
    return got;
  }

  limited(by: string, refused: boolean): number {
    return this.events.filter((event) => event.kind === 'limited' && event.by === by && event.refused === refused)
      .length;
  }
}

interface Asked {
  state: 'waits' | 'has' | 'refused';
  allowance?: Allowance | undefined;
  error?: unknown;
}

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
    assert.ok(all.every(({ allowance }) => allowance === undefined));
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
  second!.allowance?.over();
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
  first.allowance?.over();
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
  const turns = paces.slice(1).map((pace) => pace.take(step));
  const live = world.limits.paceOf(here, settings)!.take(step);
  for (const pace of paces) pace.leave();
  assert.deepEqual(new Set(await Promise.all(turns)), new Set([0]));
  await world.pass(700);
  assert.equal(await Promise.race([live, 'waits']), step);
  assert.equal(world.ticks.size, 0);
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
