// What the parts of the mirror work with, made once when it is put together.
import type { Report } from './events.ts';
import type { Freshness } from './freshness.ts';
import type { Inquiry } from './inquiry.ts';
import type { KeptManifests } from './kept.ts';
import type { Memory } from './memory.ts';
import type { Origins } from './origins.ts';
import type { PrivateInquiries } from './private.ts';
import type { BlobStore, Book, Clock, DigestOf, NewHasher, Shelf, Upstream } from './ports.ts';

export interface Parts {
  readonly upstream: Upstream;
  readonly inquiry: Inquiry;
  readonly store: BlobStore;
  /** Of a mirror that looks at no bytes, the nearest first. */
  readonly shelves: readonly Shelf[];
  readonly book: Book;
  readonly origins: Origins;
  readonly kept: KeptManifests;
  readonly memory: Memory;
  readonly clock: Clock;
  readonly digest: DigestOf;
  readonly report: Report;
  readonly freshness: (registry: string) => Freshness;
  /** How many connections one blob of a registry may be fetched over at once. */
  readonly lanes: (registry: string) => number;
  /** We ask this registry in our own name where it counts how much we ask. */
  readonly credentialed: (registry: string) => boolean;
  /** Aborted when the mirror closes: what is asked on behalf of many ends then, and not when one of them leaves. */
  readonly closing: AbortSignal;
}

/** How much of an image may be fetched before it is asked for. */
export interface AheadLimits {
  /** Downloads at once; 0: none. Of one image so many together with those that clients began. */
  readonly flights: number;
  /** Bytes of one image, as its manifest tells them. */
  readonly bytes: number;
}

/** Of a mirror that looks at the bytes of blobs. */
export interface BlobParts extends Parts {
  /** Undefined: what a login opens goes past the store. */
  readonly privately: PrivateInquiries | undefined;
  readonly newHasher: NewHasher;
  readonly ahead: AheadLimits;
}
