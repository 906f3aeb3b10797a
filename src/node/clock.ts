// The time, and waiting.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../core/mirror/ports.ts';

export const clock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }),
};
