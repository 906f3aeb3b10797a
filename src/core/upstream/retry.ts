// Asks again when an upstream stumbles: soon, seldom, and not at all once it is likely to be down.
import type { Clock } from '../mirror/ports.ts';
import { RegistryError } from '../oci/errors.ts';
import { drain } from './body.ts';
import { type UpstreamResponse, type Wrap, header } from './fetch.ts';
import { retryAfter } from '../oci/retry-after.ts';

const mostRetries = 2;
/** The first wait is up to this, each further one up to twice the one before. */
const firstWait = 300;
/** Who asks for a longer pause means it. */
const longestPause = 2000;
/** No attempt begins later than this after the first: containerd gives up on us after 30 s, and an attempt may take 12. */
const longestTotal = 10_000;
const stumbles = new Set([500, 502, 503, 504]);

/** `random`: at least 0, below 1. */
export function withRetry(clock: Clock, random: () => number): Wrap {
  return (next) => async (request) => {
    const begun = clock.now();
    for (let retries = 0; ; retries += 1) {
      const outcome = await next(request).then(answered, broken);
      const pause = retries < mostRetries && !request.signal.aborted ? pauseAfter(outcome, clock.now()) : undefined;
      const wait = pause === undefined ? undefined : Math.max(pause, random() * firstWait * 2 ** retries);
      if (wait === undefined || clock.now() + wait - begun > longestTotal) {
        if ('error' in outcome) throw outcome.error;
        return outcome.response;
      }
      if ('response' in outcome) void drain(outcome.response);
      await clock.sleep(wait, request.signal);
    }
  };
}

type Outcome = { readonly response: UpstreamResponse } | { readonly error: Error };

function answered(response: UpstreamResponse): Outcome {
  return { response };
}

function broken(error: Error): Outcome {
  return { error };
}

/** The least time to wait, or undefined if asking again is no use. */
function pauseAfter(outcome: Outcome, now: number): number | undefined {
  if ('error' in outcome) {
    // A broken network is a 503 by now; every other RegistryError is somebody's decision.
    return outcome.error instanceof RegistryError && outcome.error.status !== 503 ? undefined : 0;
  }
  const { status, headers } = outcome.response;
  const asked = retryAfter(header(headers, 'retry-after'), now);
  if (asked !== undefined && asked > longestPause) return undefined;
  if (status === 429) return asked;
  return stumbles.has(status) ? (asked ?? 0) : undefined;
}
