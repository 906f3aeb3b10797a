// Manifests and indexes: which media types there are, and what a document lists.
import type { Descriptor } from './descriptor.ts';

/** A manifest or index as its registry has it, byte for byte. `descriptor.digest` is the digest of `bytes`. */
export interface Manifest {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}
