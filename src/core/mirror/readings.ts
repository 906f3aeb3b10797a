// What was read in the manifests that are in memory: read once, and forgotten with their bytes.
import type { Descriptor } from '../oci/descriptor.ts';
import { type Listing, readManifest } from '../oci/manifest.ts';

interface Reading {
  /** One under which the bytes are something else is another reading. */
  readonly mediaType: string;
  readonly listing: Listing;
}

export class Readings {
  /** By the very bytes that lie in memory, which nobody changes. */
  readonly #readings = new WeakMap<Uint8Array, Reading>();

  /** Throws as `readManifest` does. */
  read({ mediaType }: Descriptor, bytes: Uint8Array): Listing {
    const known = this.#readings.get(bytes);
    if (known?.mediaType === mediaType) return known.listing;
    const listing = readManifest(bytes, mediaType);
    this.#readings.set(bytes, { mediaType, listing });
    return listing;
  }
}
