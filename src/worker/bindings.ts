// What Cloudflare lends the Worker, each under a name of ours: under another one it would be missed in silence.
import type { Problem } from '../config/problem.ts';

/** By name: what was set or bound for this Worker. */
export type Environment = Readonly<Record<string, unknown>>;

export interface Bindings {
  /** The R2 bucket that is bound as BLOBS. */
  readonly bucket: R2Bucket | undefined;
  /** The rate limit that is bound as LIMIT. */
  readonly rateLimit: RateLimit | undefined;
  readonly problems: readonly Problem[];
}

export function readBindings(environment: Environment): Bindings {
  const { BLOBS: bucket, LIMIT: rateLimit } = environment;
  return {
    bucket: isBucket(bucket) ? bucket : undefined,
    rateLimit: isRateLimit(rateLimit) ? rateLimit : undefined,
    problems: Object.entries(environment).flatMap(([name, bound]) => {
      const says = whatIsWrong(name, bound);
      return says === undefined ? [] : [{ where: name, says }];
    }),
  };
}

function whatIsWrong(name: string, bound: unknown): string | undefined {
  if (name === 'BLOBS') return isBucket(bound) ? undefined : 'found something else than a bucket of R2';
  if (name === 'LIMIT') return isRateLimit(bound) ? undefined : 'found something else than a rate limit';
  // Another Worker that is bound as a service has whatever one looks for, and is neither.
  if (isBucket(bound) && isRateLimit(bound)) return undefined;
  if (isBucket(bound)) return 'found a bucket of R2, which this Worker takes as BLOBS';
  if (isRateLimit(bound)) return 'found a rate limit, which this Worker takes as LIMIT';
  return undefined;
}

function isBucket(bound: unknown): bound is R2Bucket {
  return has(bound, 'createMultipartUpload');
}

function isRateLimit(bound: unknown): bound is RateLimit {
  return has(bound, 'limit');
}

function has(bound: unknown, method: string): boolean {
  return typeof bound === 'object' && bound !== null && typeof Reflect.get(bound, method) === 'function';
}
