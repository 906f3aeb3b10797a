// Whether an image is all here, so that it can be served while its upstream cannot answer.
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import { type Listing, isManifestType, readManifest } from '../oci/manifest.ts';
import { type Repository, repositoryKey } from '../oci/reference.ts';
import type { Parts } from './parts.ts';

type Held = Pick<Parts, 'kept' | 'origins' | 'store' | 'book' | 'memory' | 'shelves'>;

/** An index is looked into this deep, and at so many of its images: more than there are platforms. */
const deepest = 2;
const mostImages = 64;
/** That an image is all here, or not, is believed for this long. */
const wholeFor = 10_000;
const brokenFor = 1000;

/**
 * Everything that this manifest lists is here, and proven to be in its repository: what is not, nobody gets there while the
 * upstream cannot answer, and that it is here may be nobody's business. Of an index, at least one image that it lists. Believed for a while.
 */
export async function isWhole(held: Held, repository: Repository, descriptor: Descriptor, depth = 0): Promise<boolean> {
  // To look through shelves for everything would cost more than it tells: what lies on one may be gone the next moment.
  if (held.shelves.length > 0) return true;
  const { whole } = held.memory;
  const key = `${repositoryKey(repository)} ${descriptor.digest}`;
  const known = whole.get(key);
  if (known !== undefined) return known;
  const found = await look(held, repository, descriptor, depth);
  whole.set(key, found, found ? wholeFor : brokenFor);
  return found;
}

async function look(held: Held, repository: Repository, descriptor: Descriptor, depth: number): Promise<boolean> {
  const { kept, origins, store, book } = held;
  const isProven = async (digest: Digest) => (await book.standing(repository, digest)) !== undefined;
  if (!(await isProven(descriptor.digest))) return false;
  const bytes = await kept.read(repository, descriptor.digest);
  const listing = bytes && readable(bytes, descriptor.mediaType);
  if (listing === undefined) return false;
  if (listing.kind === 'image') {
    const isHere = async ({ digest }: Descriptor) =>
      (await isProven(digest)) && (await origins.opens(repository, digest)) && (await store.stat(digest)) !== undefined;
    return every(listing.served, isHere);
  }
  const images = listing.lists.filter(({ mediaType }) => isManifestType(mediaType)).slice(0, mostImages);
  return depth < deepest && some(images, (image) => isWhole(held, repository, image, depth + 1));
}

/** What an index calls an image need not be one. */
function readable(bytes: Uint8Array, mediaType: string): Listing | undefined {
  try {
    return readManifest(bytes, mediaType);
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

/** One after the other: the first that settles it spares the rest. */
async function some<T>(values: readonly T[], test: (value: T) => Promise<boolean>): Promise<boolean> {
  for (const value of values) if (await test(value)) return true;
  return false;
}

async function every<T>(values: readonly T[], test: (value: T) => Promise<boolean>): Promise<boolean> {
  return !(await some(values, async (value) => !(await test(value))));
}
