// In whose name an upstream is asked for blobs, nobody's (`inquiry.ts`) or somebody's (`private.ts`); and what that admits to.
import { standingOf } from '../access/admit.ts';
import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import { isManifestType } from '../oci/manifest.ts';
import type { BlobPull } from '../oci/pull.ts';
import type { Repository } from '../oci/reference.ts';
import { unknownBlob } from '../oci/unknown.ts';
import type { Origin } from './origin.ts';
import type { Book, Clock, Source } from './ports.ts';

export interface Admission {
  /** Bytes, as the upstream has told, now or earlier. */
  readonly size: number | undefined;
  /** It was asked just now and said so, perhaps without telling a size. */
  readonly proven: boolean;
  /** Why nobody could be asked. */
  readonly trouble?: RegistryError;
}

export interface Proof {
  /** Bytes, if the upstream told. */
  readonly size: number | undefined;
}

export interface BlobInquiry {
  /** Who asks for this repository, among those who share a flight. */
  party(repository: Repository): string;
  /** What the bytes have that come in this name. */
  origin(repository: Repository): Origin;
  /** Whether he may have it, before anything here is looked at. Throws what refuses it. `staleFor`: of verdicts, in milliseconds. */
  admit(repository: Repository, digest: Digest, staleFor: number): Promise<Admission>;
  /** Whether the upstream has this blob in this repository. undefined: it has not. */
  prove(repository: Repository, digest: Digest): Promise<Proof | undefined>;
  /**
   * A source for a fill. Its first answer is also a proof, wherever that begins. `told` learns of that, or of a refusal until
   * then, before anybody else does.
   */
  source(repository: Repository, digest: Digest, told: (has: boolean) => void): Source;
  /** A source for what is not kept. Nobody finds out whether the size that it tells is right, so that is not believed later. */
  unkeptSource(repository: Repository, digest: Digest): Source;
  /** It is in this repository; its size is known `surely` from bytes that match. */
  proven(repository: Repository, digest: Digest, size: number | undefined, surely?: boolean): Promise<void>;
  /** What was said of it led to nothing, and that may have been its size: the next to ask takes the upstream's word anew. */
  doubt(repository: Repository, digest: Digest): Promise<void>;
  /** A download came to nothing. If the upstream has said when to come again, nobody asks it for that blob before. */
  leaveAlone(repository: Repository, digest: Digest, error: unknown): void;
}

export interface NamedPull extends BlobPull {
  /** In whose name it is. */
  readonly inquiry: BlobInquiry;
}

interface Known {
  readonly book: Book;
  readonly clock: Clock;
  readonly inquiry: BlobInquiry & {
    resting(repository: Repository, subject: string): RegistryError | undefined;
  };
}

/** The repository is public, as far as is known; whether this blob is in it may still have to be proven. */
export async function admitAnybody(
  { book, clock, inquiry }: Known,
  repository: Repository,
  digest: Digest,
  staleFor: number,
): Promise<Admission> {
  const verdict = standingOf(await book.verdict(repository), clock.now(), staleFor);
  const standing = await book.standing(repository, digest);
  // Proven as a manifest is not proven as a blob: registries keep them apart.
  const proven = standing !== undefined && !isManifestType(standing.mediaType);
  const size = standing?.size;
  if (verdict === 'fresh') return { size, proven };

  const usable = verdict === 'stale' && proven;
  const resting = inquiry.resting(repository, digest);
  if (usable && resting !== undefined) return { size, proven, trouble: resting };
  try {
    return { size: await sizeProven(inquiry, repository, digest, size), proven: true };
  } catch (error) {
    if (usable && error instanceof RegistryError && error.passing) return { size, proven, trouble: error };
    throw error;
  }
}

/** Bytes: those that are `known`, else if the upstream tells. Throws BLOB_UNKNOWN if it has no such blob in this repository. */
export async function sizeProven(
  inquiry: Pick<BlobInquiry, 'prove'>,
  repository: Repository,
  digest: Digest,
  known?: number,
): Promise<number | undefined> {
  const proof = await inquiry.prove(repository, digest);
  if (proof === undefined) throw unknownBlob(repository, digest);
  return known ?? proof.size;
}
