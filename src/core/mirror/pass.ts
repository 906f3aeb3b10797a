// Pulls that go past store and book: in somebody's name where that is not kept, or because the store cannot take a blob.
import type { Asker } from '../access/caller.ts';
import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import type { BlobPull, ManifestPull } from '../oci/pull.ts';
import { type Range, type RangeRequest, isEmptyRange, resolveRange } from '../oci/range.ts';
import { type Clock, type Content, type Incoming, type NewHasher, type Source, type Upstream, letGo } from './ports.ts';
import { blobHead, blobReply, manifestReply } from './replies.ts';
import type { ByteStream, Reply } from './reply.ts';
import { resumed } from './resume.ts';
import { unknownBlob, unknownManifest } from '../oci/unknown.ts';
import { part, verified } from './verified.ts';

/** Nothing of it is kept, or shared with anybody. */
export async function passManifest(
  upstream: Upstream,
  { reference, head }: ManifestPull,
  as: Asker,
  signal: AbortSignal,
): Promise<Reply> {
  const found = head
    ? await upstream.resolve(reference, as, signal)
    : await upstream
        .manifest(reference, as, signal)
        .then((manifest) => manifest && { descriptor: manifest.descriptor, manifest });
  if (found === undefined) throw unknownManifest(reference);
  return manifestReply(found.descriptor, head ? undefined : found.manifest?.bytes, 'pass');
}

export async function passBlobPull(
  pull: BlobPull,
  as: Asker,
  means: Means & { readonly upstream: Upstream },
  signal: AbortSignal,
): Promise<Reply> {
  const { repository, digest, head, range } = pull;
  const { upstream } = means;
  if (!head) {
    const content = await passBlob(upstream.blob(repository, digest, as), digest, range, means, signal);
    return blobReply(digest, content, 'pass');
  }
  const found = await upstream.stat(repository, digest, as, signal);
  if (found !== undefined) return blobHead(digest, found.size, 'pass');
  throw unknownBlob(repository, digest);
}

/** What a download past the store needs. */
interface Means {
  readonly newHasher: NewHasher;
  readonly clock: Clock;
}

/**
 * One upstream download for one client. What runs to the end is hashed from its first byte on, even where the client wants only
 * the rest: it never gets a complete body with wrong bytes. Bounded and suffix ranges are fetched as they are.
 */
export async function passBlob(
  source: Source,
  digest: Digest,
  asked: RangeRequest | undefined,
  { newHasher, clock }: Means,
  signal: AbortSignal,
): Promise<Content> {
  const { offset, end } = question(asked);
  const first = await source(offset, signal, end);
  const { size } = first;
  const whole = (from: number) =>
    verified(resumed(first, { size, open: source, clock, signal }), digest, newHasher, from, size, () =>
      first.blame?.(true),
    );
  if (size === undefined && first.offset === 0) return streamed(undefined, undefined, whole(0));
  if (size === undefined) throw await abandoned(first, sizeless());
  if (asked === undefined) return streamed(size, undefined, whole(0));

  const range = await resolved(asked, size, first);
  if (asked.kind === 'from') return streamed(size, range, whole(range.offset));
  const bounded = asked.kind === 'between' ? first : await again(first);
  const rest = resumed(bounded, { size, open: source, clock, signal, end: () => range.offset + range.length });
  return streamed(size, range, part(rest, range.offset - bounded.offset, range.length));

  /** Where a suffix starts, only the size could tell. */
  async function again(incoming: Incoming): Promise<Incoming> {
    await letGo(incoming);
    return source(range.offset, signal);
  }
}

/** Only a bounded range tells where it begins and ends before the size is known. */
function question(asked: RangeRequest | undefined): { readonly offset: number; readonly end?: number } {
  if (asked?.kind !== 'between') return { offset: 0 };
  return isEmptyRange(asked) ? { offset: asked.offset } : { offset: asked.offset, end: asked.last + 1 };
}

function streamed(size: number | undefined, range: Range | undefined, stream: ByteStream): Content {
  return { size, range, body: { kind: 'stream', stream } };
}

async function resolved(asked: RangeRequest, size: number, incoming: Incoming): Promise<Range> {
  try {
    return resolveRange(asked, size);
  } catch (error) {
    throw await abandoned(incoming, error);
  }
}

async function abandoned(incoming: Incoming, error: unknown): Promise<unknown> {
  await letGo(incoming);
  return error;
}

function sizeless(): RegistryError {
  return new RegistryError('UNAVAILABLE', 'the upstream sent a part of a blob and did not say of how much', {
    status: 502,
  });
}
