// Pulls that go past store and book: with the client's own login, or because the store cannot take a blob.
import type { Caller } from '../access/caller.ts';
import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import type { BlobPull, ManifestPull } from '../oci/pull.ts';
import { type Range, type RangeRequest, resolveRange } from '../oci/range.ts';
import { repositoryKey } from '../oci/reference.ts';
import type { Content, Incoming, NewHasher, Source, Upstream } from './ports.ts';
import { blobHead, blobReply, manifestReply } from './replies.ts';
import type { ByteStream, Reply } from './reply.ts';
import { part, verified } from './verified.ts';

/** Nothing that a client's own login gets is kept, or shared with anybody. */
export async function passManifest(
  upstream: Upstream,
  { reference, head }: ManifestPull,
  caller: Caller,
  signal: AbortSignal,
): Promise<Reply> {
  const found = head
    ? await upstream.resolve(reference, caller, signal)
    : await upstream
        .manifest(reference, caller, signal)
        .then((manifest) => manifest && { descriptor: manifest.descriptor, manifest });
  if (found === undefined) {
    throw new RegistryError(
      'MANIFEST_UNKNOWN',
      `${repositoryKey(reference.repository)} has no manifest ${reference.target}`,
    );
  }
  return manifestReply(found.descriptor, head ? undefined : found.manifest?.bytes, 'pass');
}

export async function passBlobPull(
  upstream: Upstream,
  pull: BlobPull,
  caller: Caller,
  newHasher: NewHasher,
  signal: AbortSignal,
): Promise<Reply> {
  const { repository, digest, head, range } = pull;
  if (!head) {
    const content = await passBlob(upstream.blob(repository, digest, caller), digest, range, newHasher, signal);
    return blobReply(digest, content, 'pass');
  }
  const found = await upstream.stat(repository, digest, caller, signal);
  if (found !== undefined) return blobHead(digest, found.size, 'pass');
  throw new RegistryError('BLOB_UNKNOWN', `${repositoryKey(repository)} has no blob ${digest}`);
}

/**
 * One upstream download for one client. What runs to the end is hashed from its first byte on, even where the client wants only
 * the rest: it never gets a complete body with wrong bytes. Bounded and suffix ranges are fetched as they are.
 */
export async function passBlob(
  source: Source,
  digest: Digest,
  asked: RangeRequest | undefined,
  newHasher: NewHasher,
  signal: AbortSignal,
): Promise<Content> {
  const incoming = await source(asked?.kind === 'between' ? asked.offset : 0, signal);
  const { size } = incoming;
  if (asked === undefined || size === undefined) {
    if (incoming.offset > 0) throw await abandoned(incoming, sizeless());
    return {
      size,
      range: undefined,
      body: { kind: 'stream', stream: verified(incoming.stream, digest, newHasher, 0, size) },
    };
  }
  const range = await resolved(asked, size, incoming);
  return { size, range, body: { kind: 'stream', stream: await stream(range, incoming) } };

  async function stream({ offset, length }: Range, from: Incoming): Promise<ByteStream> {
    if (asked?.kind === 'from') return verified(from.stream, digest, newHasher, offset, size);
    if (asked?.kind === 'between') return part(from.stream, offset - from.offset, length);
    // Where a suffix starts, only the size could tell.
    await abandon(from);
    const again = await source(offset, signal);
    return part(again.stream, offset - again.offset, length);
  }
}

async function resolved(asked: RangeRequest, size: number, incoming: Incoming): Promise<Range> {
  try {
    return resolveRange(asked, size);
  } catch (error) {
    throw await abandoned(incoming, error);
  }
}

async function abandoned(incoming: Incoming, error: unknown): Promise<unknown> {
  await abandon(incoming);
  return error;
}

async function abandon(incoming: Incoming): Promise<void> {
  await incoming.stream[Symbol.asyncIterator]().return?.();
}

function sizeless(): RegistryError {
  return new RegistryError('UNAVAILABLE', 'the upstream sent a part of a blob and did not say of how much', {
    status: 502,
  });
}
