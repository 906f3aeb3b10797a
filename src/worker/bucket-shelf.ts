// Blobs in a bucket of R2, one object a digest: R2 checks each against its digest when it comes in.
import type { Report } from '../core/mirror/events.ts';
import { attempts } from '../core/mirror/tolerant.ts';
import type { Shelf } from '../core/mirror/ports.ts';
import { type Digest, algorithmOf, hexOf } from '../core/oci/digest.ts';
import { type RangeRequest, resolveRange } from '../core/oci/range.ts';
import type { Later } from './edge-cache.ts';
import { exactly } from './edge-shelf.ts';
import { within } from './stalls.ts';

/** Bytes that R2 takes in one piece. */
const largest = 5_000_000_000;
/** Milliseconds. */
const longestWait = 5000;

export function bucketShelf(bucket: R2Bucket, later: Later, report: Report): Shelf {
  const attempt = attempts(report);
  return {
    stat: (_, digest) => attempt('stat', async () => (await within(longestWait, bucket.head(keyOf(digest))))?.size),
    open: (_, digest, asked) =>
      attempt('open', async () => {
        const found = await within(longestWait, get(bucket, digest, asked));
        if (found === null) return undefined;
        const range = asked && resolveRange(asked, found.size);
        return { size: found.size, range, body: { kind: 'stream', stream: found.body } };
      }),
    keep(_, digest, size, bring) {
      if (size > largest) return false;
      const put = async () => {
        const content = await bring();
        const options = { [algorithmOf(digest)]: hexOf(digest) };
        if (content !== undefined) await bucket.put(keyOf(digest), exactly(content, size).stream, options);
      };
      // What the upstream did wrong is told of elsewhere.
      later(attempt('put', put).catch(() => undefined));
      return true;
    },
  };
}

function keyOf(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}

async function get(bucket: R2Bucket, digest: Digest, asked: RangeRequest | undefined): Promise<R2ObjectBody | null> {
  if (asked === undefined) return bucket.get(keyOf(digest));
  try {
    return await bucket.get(keyOf(digest), { range: rangeOf(asked) });
  } catch (error) {
    // It says in words alone that the range lies outside.
    const found = await bucket.head(keyOf(digest));
    if (found !== null) resolveRange(asked, found.size);
    throw error;
  }
}

function rangeOf(asked: RangeRequest): R2Range {
  if (asked.kind === 'suffix') return { suffix: asked.length };
  if (asked.kind === 'from') return { offset: asked.offset };
  return { offset: asked.offset, length: asked.last + 1 - asked.offset };
}
