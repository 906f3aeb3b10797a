// Bringing in the next layers of an image that is being pulled, before its client asks for them.
//
// Who inspects an image fetches its manifests and its config; who pulls it lazily, ranges of its layers. Only a layer that is
// wanted from its first byte to its end says that the others will be, too: those behind it in the manifest. What stands
// before it the client has already, or is asking for just now.
import { Bounded } from '../oci/bounded.ts';
import type { Digest } from '../oci/digest.ts';
import type { Listing } from '../oci/manifest.ts';
import { type Repository, repositoryKey } from '../oci/reference.ts';
import { unknownBlob } from '../oci/unknown.ts';
import type { BlobFlights } from './blob-flights.ts';
import type { BlobParts } from './parts.ts';
import { Recent } from './recent.ts';

interface Image {
  readonly key: string;
  readonly repository: Repository;
  /** Of the repository. */
  readonly name: string;
  /** Bytes of each, as the manifest tells them, and in its order. */
  readonly layers: ReadonlyMap<Digest, number>;
  /** Those that are not to be looked at (again): each is at most once for as long as the image is remembered. */
  readonly settled: Set<Digest>;
  /** Milliseconds since 1970. */
  readonly until: number;
  /** What is to be brought in next. */
  coming: Digest[];
}

/** Milliseconds for which it is remembered what a manifest that was sent lists. */
const rememberedFor = 600_000;
/** Milliseconds within which a layer that was brought in and is asked for counts as foreseen. */
const foreseenFor = 3_600_000;
/** So many images are remembered, those that were sent last. */
const mostImages = 256;
/** Of more layers than that no runtime makes a file system. */
const mostLayers = 128;

export class PullAhead {
  readonly #parts: BlobParts;
  readonly #flights: BlobFlights;
  readonly #images = new Bounded<Image>(mostImages);
  readonly #brought: Recent<true>;
  #running = 0;

  constructor(parts: BlobParts, flights: BlobFlights) {
    this.#parts = parts;
    this.#flights = flights;
    this.#brought = new Recent(parts.clock);
  }

  /** A manifest goes out to a client. What it lists is its author's claim: good for a question to that repository's upstream, and for no more. */
  sent(repository: Repository, digest: Digest, listing: Listing): void {
    const { ahead, clock } = this.#parts;
    if (ahead.flights === 0 || listing.kind !== 'image') return;
    const name = repositoryKey(repository);
    const key = `${name} ${digest}`;
    const known = this.#images.get(key);
    const now = clock.now();
    const image =
      known !== undefined && now < known.until
        ? known
        : { key, repository, name, until: now + rememberedFor, ...this.#plan(listing) };
    this.#images.set(key, image);
  }

  #plan({ served, config }: Listing): Pick<Image, 'layers' | 'settled' | 'coming'> {
    const layers = new Map<Digest, number>();
    const settled = new Set<Digest>();
    let bytes = 0;
    for (const { digest, size } of served) {
      if (digest === config?.digest || layers.has(digest)) continue;
      if (layers.size === mostLayers) break;
      layers.set(digest, size);
      if (bytes + size <= this.#parts.ahead.bytes) bytes += size;
      else settled.add(digest);
    }
    return { layers, settled, coming: [] };
  }

  /**
   * A client is sent this blob from its first byte to its end: the upstream has answered for it, or it is here.
   * `leaving` tells that the client broke off; then nothing more is begun before somebody asks for a layer again.
   */
  wanted(repository: Repository, digest: Digest, leaving: AbortSignal | undefined): void {
    if (this.#brought.get(digest) === true) {
      this.#brought.delete(digest);
      this.#parts.report({ kind: 'foreseen', repository, digest });
    }
    const images = this.#listing(repository, digest);
    const image = images.at(-1);
    if (image === undefined) return;
    for (const each of images) each.settled.add(digest);
    // What several images have in common does not tell which of them is wanted: of the rest only what is common to them too.
    image.coming = behind(image, digest).filter((layer) => images.every(({ layers }) => layers.has(layer)));
    if (image.coming.length === 0) return;
    leaving?.addEventListener('abort', () => (image.coming = []), { once: true });
    // It counts among those that run, so its end makes place.
    void this.#flights.get(digest)?.landed.then(() => this.#go());
    this.#go();
  }

  /** The images of a repository that list this layer and were sent lately, the last one last. */
  #listing(repository: Repository, digest: Digest): readonly Image[] {
    const name = repositoryKey(repository);
    const now = this.#parts.clock.now();
    const found: Image[] = [];
    for (const image of this.#images.values()) {
      // The name first: for a blob at rest this is on the hot path, and most images are of other repositories.
      if (image.name === name && now < image.until && image.layers.has(digest)) found.push(image);
    }
    return found;
  }

  #go(): void {
    for (const image of this.#images.values()) {
      for (const digest of image.coming) {
        if (!this.#mayBegin(image, digest)) break;
        image.settled.add(digest);
        if (!this.#isOurs(digest, image)) void this.#bring(image, digest);
      }
      image.coming = image.coming.filter((digest) => !image.settled.has(digest));
    }
  }

  /** A flight that this repository's upstream is asked in. Of others it must not be seen that they are. */
  #isOurs(digest: Digest, { repository }: Image): boolean {
    return this.#flights.get(digest)?.parties.has(this.#parts.inquiry.party(repository)) === true;
  }

  #mayBegin(image: Image, next: Digest): boolean {
    const { repository, layers } = image;
    const { ahead, inquiry, closing } = this.#parts;
    if (this.#running >= ahead.flights || closing.aborted) return false;
    if (inquiry.resting(repository, next) !== undefined) return false;
    let flying = 0;
    for (const digest of layers.keys()) if (this.#isOurs(digest, image)) flying += 1;
    return flying < ahead.flights;
  }

  /** Runs up to the flight's start before it returns. */
  async #bring(image: Image, digest: Digest): Promise<void> {
    this.#running += 1;
    const { inquiry } = this.#parts;
    const running = this.#flights.get(digest);
    const flight = running ?? this.#flights.start({ inquiry, repository: image.repository, digest }, undefined, true);
    try {
      const fill = running === undefined ? await flight.filling : undefined;
      if (fill !== undefined) this.#brought.set(digest, true, foreseenFor);
      const told = await fill?.size;
      const isProven = fill !== undefined && flight.parties.get(inquiry.party(image.repository)) === 'proven';
      const size = isProven ? told : await this.#prove(image, digest);
      if (size !== undefined && size !== image.layers.get(digest)) this.#forget(image);
      await fill?.done;
    } catch {
      // Whoever reads it was told. If one cannot be had, the others need not be tried.
      this.#forget(image);
    }
    if (running === undefined) await flight.landed;
    this.#running -= 1;
    this.#go();
  }

  /** It was here all the time, or somebody else brings it: that must look as if it was not, should the manifest only claim it. */
  async #prove({ repository }: Image, digest: Digest): Promise<number | undefined> {
    const { book, inquiry } = this.#parts;
    const proven = await book.standing(repository, digest);
    if (proven !== undefined) return proven.size;
    const proof = await inquiry.prove(repository, digest);
    if (proof === undefined) throw unknownBlob(repository, digest);
    return proof.size;
  }

  #forget(image: Image): void {
    image.coming = [];
    if (this.#images.get(image.key) === image) this.#images.delete(image.key);
  }
}

function behind({ layers, settled }: Image, digest: Digest): Digest[] {
  const all = [...layers.keys()];
  return all.slice(all.indexOf(digest) + 1).filter((layer) => !settled.has(layer));
}
