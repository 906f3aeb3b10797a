// A descriptor: what some content is, what it is called and how long it is (image-spec, descriptor.md).
import type { Digest } from './digest.ts';

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}
