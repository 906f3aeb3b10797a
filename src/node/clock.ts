// The time, and waiting: once, or again and again.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../core/mirror/ports.ts';
import type { Every } from '../core/oci/rounds.ts';

export const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};

export const every: Every = (ms, tick) => {
  const timer = setInterval(tick, ms).unref();
  return () => clearInterval(timer);
};
