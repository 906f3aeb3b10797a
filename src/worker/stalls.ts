// How long the Worker waits for what does not come: an upstream's bytes, and answers of what Cloudflare lends.
import type { StallLimits } from '../core/upstream/stalls.ts';

/** Bodies that are read here: manifests, lists and tokens. */
export const stalls: StallLimits = {
  alarm: (ms, ring) => void setTimeout(ring, ms),
  after: () => 10_000,
};

/** Throws if `work` takes longer. What becomes of it then is nobody's concern. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`there was no answer within ${ms / 1000} s`)), ms);
  return Promise.race([work, late.promise]).finally(() => clearTimeout(timer));
}
