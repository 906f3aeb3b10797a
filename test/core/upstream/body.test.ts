// Bodies that are read whole.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drain, readWhole } from '../../../src/core/upstream/body.ts';
import { TestClock } from './bench.ts';

function dripping(clock: TestClock, ms: number, chunks: number) {
  const state = { sent: 0, cancelled: false };
  async function* body(): AsyncGenerator<Uint8Array> {
    for (; state.sent < chunks; state.sent += 1) {
      clock.time += ms;
      yield new Uint8Array(1000);
    }
  }
  return { state, response: { status: 200, headers: {}, body: body(), cancel: () => void (state.cancelled = true) } };
}

test('a body that drips is given up after a minute', async () => {
  const clock = new TestClock();
  const slow = dripping(clock, 10_000, 6);
  assert.equal((await readWhole(slow.response, 10_000, 'registry.test', clock))?.length, 6000);
  const slower = dripping(clock, 10_000, 7);
  await assert.rejects(readWhole(slower.response, 10_000, 'registry.test', clock), {
    code: 'UNAVAILABLE',
    status: 503,
  });
  assert.ok(slower.state.cancelled);
});

test('of a body that nobody wants no more than 64 KiB are read', async () => {
  const endless = dripping(new TestClock(), 0, Number.POSITIVE_INFINITY);
  await drain(endless.response);
  assert.ok(endless.state.sent <= 66);
  assert.ok(endless.state.cancelled);
});
