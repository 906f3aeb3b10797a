// The rate limit that a Worker's owner may bind: Cloudflare counts, for each of its locations.
import { createLimit, type Limit } from '../core/door/limit.ts';
import { write } from './report.ts';

/** Seconds: the binding tells not which of its two periods it has, and after this the longer one is over too. */
const period = 60;

export function limitBy(bound: RateLimit): Limit {
  return createLimit(async (key) => {
    try {
      const { success } = await bound.limit({ key });
      return success;
    } catch (error) {
      // Trouble of ours fails no pull.
      write('warn', `the rate limit did not answer: ${String(error)}`);
      return true;
    }
  }, period);
}
