// A lane at work, looked at by itself.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RunningLane } from '../../../src/core/mirror/running-lane.ts';
import { TestClock } from './world.ts';

const size = 1_000_000_000;
const second = 1000;

function lane() {
  const clock = new TestClock();
  const running = new RunningLane(0, size, size, clock);
  /** So many bytes a second, for so long; whether it was taken for throttled in that time. */
  const brings = async (bytes: number, seconds: number) => {
    let throttled = false;
    for (let part = 0; part < seconds * 4; part += 1) {
      clock.forward(second / 4);
      await running.bring(new Uint8Array(bytes / 4), () => Promise.resolve());
      throttled ||= running.throttled;
    }
    return throttled;
  };
  return { running, brings };
}

it('is throttled when it was quick and has crawled for some seconds', async () => {
  const { brings } = lane();
  assert.equal(await brings(1_000_000, 5), false);
  assert.equal(await brings(40_000, 4), false);
  assert.equal(await brings(1_000_000, 1), false);
  assert.equal(await brings(40_000, 8), true);
});

it('is not throttled when it is slow from the start, or only somewhat slower than it was', async () => {
  const { brings } = lane();
  assert.equal(await brings(40_000, 20), false);
  assert.equal(await brings(4000, 20), false);
});

it('is not throttled when little is left', async () => {
  const { running, brings } = lane();
  await brings(1_000_000, 5);
  running.stopAt(running.at + 400_000);
  assert.equal(await brings(40_000, 9), false);
});

it('is measured by the connection that it has, not by one that broke', async () => {
  const { running, brings } = lane();
  await brings(1_000_000, 5);
  running.opened(size);
  assert.equal(await brings(40_000, 20), false);
});
