// What the mirror asks of the world. Each port has one conformance suite in test/conformance, run against every implementation.
import type { Asker } from '../access/caller.ts';
import type { Verdict } from '../access/admit.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Algorithm, Digest } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import type { Range, RangeRequest } from '../oci/range.ts';
import type { Reference, Repository } from '../oci/reference.ts';
import type { Origin } from './origin.ts';
import type { Body, ByteStream } from './reply.ts';

/** A blob, or a part of it, ready to be read. Whoever gets one sends its body or discards it. */
export interface Content {
  /** Bytes of the whole blob; undefined while an upstream that told no size is still sending. */
  readonly size: number | undefined;
  /** The part that `body` is; undefined if it is the whole. */
  readonly range: Range | undefined;
  readonly body: Body;
}

/**
 * Where blobs rest. What it has is whole and was verified; what it has not is `undefined`. Trouble of its own it throws:
 * `tolerant.ts` makes absence and an event of that, once for every store.
 */
export interface BlobStore {
  stat(digest: Digest): Promise<number | undefined>;
  /** Throws RANGE_INVALID if the range lies outside the blob. */
  open(digest: Digest, range?: RangeRequest): Promise<Content | undefined>;
  /**
   * Brings bytes in under the name that they claim. `open` sees nothing until all are in and the digest matches.
   * Never throws; one fill a digest at a time is the caller's duty. `sources` is live: who joins may add to it while the fill runs.
   * `expected`: bytes, if the upstream has told before; one that says otherwise now is wrong (502). `lanes`: how many
   * connections it may have at once; a few if nobody says. It may go on with what an earlier one of the same
   * `origin` (anybody's, if nobody says) left, but a source answers first.
   */
  fill(digest: Digest, sources: Iterable<Source>, expected?: number, lanes?: number, origin?: Origin): Fill;
  /** The whole of a small blob, as bytes that nobody changes; undefined if it is not here or longer than `most`. */
  read(digest: Digest, most: number): Promise<Uint8Array | undefined>;
  delete(digest: Digest): Promise<void>;
  /** For what looks wrong: reads and hashes it, and deletes it if it is not what it is called. True if it is, or is not here. */
  check(digest: Digest): Promise<boolean>;
}

/** A blob on its way in. Every `open` is a reader of its own, at its own pace. Nobody who leaves stops it. */
export interface Fill {
  /**
   * Settles when the upstream has answered: bytes, or undefined if it told none. Rejects with why there is nothing to read:
   * a RegistryError of the upstream, or NoRoom if the store cannot take it (then the pull is passed through).
   */
  readonly size: Promise<number | undefined>;
  /**
   * Waits for `size`. For the whole and for an open end (`bytes=N-`) the last bytes are held back until the digest is known
   * to match; if it does not, or the upstream breaks, the stream throws; NoRoom, if it is the store that gives up. A range of a blob whose size is unknown is ignored.
   */
  open(range?: RangeRequest): Promise<Content>;
  /** Resolves when the blob is in the store. Rejects if it will not be. */
  readonly done: Promise<void>;
}

const whyNoRoom = {
  'too-large': 'the blob is larger than the store may be',
  full: 'the store has no room for it',
  failed: 'the store does not work',
} as const;

/** The store cannot take this blob: larger than the budget, or too much is in use. Not an error to tell anybody. */
export class NoRoom extends Error {
  readonly reason: keyof typeof whyNoRoom;
  constructor(reason: keyof typeof whyNoRoom, cause?: unknown) {
    super(whyNoRoom[reason], { cause });
    this.reason = reason;
  }
}

/**
 * Opens the upstream's bytes from `offset` on, up to but not including `end` if that is given. Throws a RegistryError:
 * BLOB_UNKNOWN if it has no such blob, UNAVAILABLE if it cannot answer.
 */
export type Source = (offset: number, signal: AbortSignal, end?: number) => Promise<Incoming>;

export interface Incoming {
  /** Where the stream starts: what was asked, or 0 from an upstream that ignores ranges. */
  readonly offset: number;
  /** Where it ends by the upstream's own account, if that gave one. */
  readonly end?: number | undefined;
  /** Bytes of the whole blob, if the upstream told. */
  readonly size: number | undefined;
  /** Throws if the upstream breaks or stalls before `end` or `size` is reached; may go on after `end`. */
  readonly stream: ByteStream;
  /**
   * What came is not what its digest says, or of another size than somebody else told. Whoever has brought bytes of it to this
   * source is asked last from now on. `surely`: nobody but this source has brought any.
   */
  readonly blame?: (surely: boolean) => void;
}

/** Ends a stream that nobody will read; how that goes is nobody's concern. */
export async function letGo({ stream }: Incoming): Promise<void> {
  await stream[Symbol.asyncIterator]()
    .return?.()
    .catch(() => undefined);
}

/** What a name pointed at, and when we last looked. */
export interface Pointer {
  readonly descriptor: Descriptor;
  /** Milliseconds since 1970. */
  readonly checkedAt: number;
}

/**
 * The only mutable book in the house. It may be lost at any time: everything in it is learned again.
 * A write has happened for later reads when its promise resolves.
 */
export interface Book {
  /** `name`: a tag, or another mutable name that no tag can be (`referrers/sha256:…`). */
  pointer(repository: Repository, name: string): Promise<Pointer | undefined>;
  /** `undefined` forgets the name. */
  point(repository: Repository, name: string, pointer: Pointer | undefined): Promise<void>;
  /** What this repository has been proven to have: its upstream has answered 200 for it there. */
  standing(repository: Repository, digest: Digest): Promise<Descriptor | undefined>;
  link(repository: Repository, descriptor: Descriptor): Promise<void>;
  /** The upstream says that this digest is no longer there. */
  disown(repository: Repository, digest: Digest): Promise<void>;
  verdict(repository: Repository): Promise<Verdict | undefined>;
  /** `undefined` revokes it. */
  judge(repository: Repository, verdict: Verdict | undefined): Promise<void>;
  /** Used just now; written behind, in batches. */
  touch(digest: Digest): void;
}

export interface Resolved {
  readonly descriptor: Descriptor;
  /** Where the upstream's HEAD did not tell enough and the manifest had to be fetched. Its bytes match the descriptor. */
  readonly manifest?: Manifest;
}

/** A page of a list: the upstream's bytes as they are, and the query of the next page, if there is one. */
export interface Page {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  readonly nextQuery: string | undefined;
  /** `OCI-Filters-Applied` */
  readonly filters: string | undefined;
}

/**
 * Where blobs lie for a mirror that looks at no bytes: whole, as an endpoint of that repository sent them. What lies there is
 * shown only where it is proven. Trouble of its own is absence and an event.
 */
export interface Shelf {
  /** Bytes. */
  stat(repository: Repository, digest: Digest): Promise<number | undefined>;
  /** Throws RANGE_INVALID if the range lies outside the blob. */
  open(repository: Repository, digest: Digest, range?: RangeRequest): Promise<Content | undefined>;
  /** True once for what may be wrong, which somebody else is to be asked for then, and `keep` be called again. Not given: never. */
  holdsBack?(repository: Repository, digest: Digest, range?: RangeRequest): boolean;
  /**
   * Behind the reply, and for as long as the runtime allows: nobody hears how it went. `bring` opens the whole anew, so that
   * the client's pace is the client's alone. False: this is nothing for it, and nothing was begun.
   */
  keep(repository: Repository, digest: Digest, size: number, bring: () => Promise<Content | undefined>): boolean;
}

export interface Untouched {
  readonly repository: Repository;
  readonly digest: Digest;
  /** Asks for something. The upstream may answer with the whole all the same. */
  readonly range: RangeRequest | undefined;
  /** The repository is public, so a third party's copy will do where no endpoint can answer. */
  readonly copies: boolean;
}

/** How much of what a registry lets us fetch is left. */
export interface Allowance {
  /** 0 to 1. */
  readonly share: number;
  /** Milliseconds in which all of it renews. */
  readonly window: number;
}

/**
 * The registries. `undefined` is a 404: the upstream says that there is no such thing. Everything else that is not a 200
 * is thrown as a RegistryError: UNAUTHORIZED, DENIED, TOOMANYREQUESTS (with `retry-after`), UNAVAILABLE (503: network, 5xx),
 * MANIFEST_INVALID (502: what came is no manifest, or not the one asked for).
 * An asker's `authorization`, if there is one, is sent in place of our own token.
 */
export interface Upstream {
  /** A HEAD: free of charge at Docker Hub. */
  resolve(reference: Reference, as: Asker, signal: AbortSignal): Promise<Resolved | undefined>;
  /** At most 4 MiB, or less where there is less time; the bytes match the digest if the reference has one. */
  manifest(reference: Reference, as: Asker, signal: AbortSignal): Promise<Manifest | undefined>;
  /** A HEAD. */
  stat(
    repository: Repository,
    digest: Digest,
    as: Asker,
    signal: AbortSignal,
  ): Promise<{ readonly size: number | undefined } | undefined>;
  blob(repository: Repository, digest: Digest, as: Asker): Source;
  /** From one connection, as it comes: nobody counts the bytes, hashes them, or notices that they end too early. */
  untouched(asked: Untouched, as: Asker, signal: AbortSignal): Promise<Content | undefined>;
  /** `query`: without the question mark, `ns` taken out. */
  tags(repository: Repository, query: string, as: Asker, signal: AbortSignal): Promise<Page | undefined>;
  /** undefined: the upstream has no such endpoint; see the fallback tag. */
  referrers(
    repository: Repository,
    digest: Digest,
    query: string,
    as: Asker,
    signal: AbortSignal,
  ): Promise<Page | undefined>;
  /** As it has told lately; undefined where it has told no limit. Nobody is asked. */
  allowance(repository: Repository): Allowance | undefined;
}

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Rejects with the signal's reason if that is first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Of the whole, in lower-case hexadecimal; a promise where the runtime hashes only so. */
export type DigestOf = (algorithm: Algorithm, bytes: Uint8Array) => Promise<string> | string;

/** Incremental hashing, where the runtime has it. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** Lower-case hexadecimal. */
  hex(): string;
}
export type NewHasher = (algorithm: Algorithm) => Hasher;
