// A blob of an upstream as it comes, for whoever must not spend time on its bytes.
import type { Asker } from '../access/caller.ts';
import type { Content, Untouched } from '../mirror/ports.ts';
import { isOfNothing } from '../oci/digest.ts';
import { type RangeRequest, clipRange, rangeHeader } from '../oci/range.ts';
import { ask } from './asking.ts';
import { type Part, outside, partOf, questionOf } from './blobs.ts';
import { lengthOf, refusePage } from './body.ts';
import { nonsense } from './failure.ts';
import type { AskingParts } from './question.ts';

/** Its head is all that is looked at. */
export function openUntouched(
  parts: AskingParts,
  { repository, digest, range, copies }: Untouched,
  as: Asker,
  signal: AbortSignal,
): Promise<Content | undefined> {
  const ranged = range === undefined ? {} : { headers: { range: rangeHeader(range) } };
  const question = { ...questionOf(repository, digest, as, signal), ...ranged, verifiable: copies };
  return ask(parts, question, async (answer) => {
    const { response, host } = answer;
    const { status, body } = response;
    if (status === 416 && range !== undefined) throw outside(response);
    // Nobody hashes what comes: it would go out as the blob.
    refusePage(response, host);
    const size = status === 206 ? undefined : lengthOf(response);
    const part = status === 206 ? partOf(answer) : undefined;
    const isRight = status === 200 ? size !== 0 || isOfNothing(digest) : part !== undefined && isAsked(part, range);
    if (!isRight) {
      response.cancel();
      throw nonsense(host, 'sent something else than the blob, or the part of it, that it was asked for');
    }
    const stream = { kind: 'stream', stream: body } as const;
    if (part === undefined) return { size, range: undefined, body: stream };
    return { size: part.size, range: { offset: part.offset, length: part.end - part.offset }, body: stream };
  });
}

function isAsked(part: Part, range: RangeRequest | undefined): boolean {
  if (range === undefined || part.size === undefined) return false;
  const { offset, end } = clipRange(range, part.size);
  return offset === part.offset && end === part.end;
}
