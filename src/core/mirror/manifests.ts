// Pulls of manifests and indexes, by tag and by digest.
import { standingOf } from '../access/admit.ts';
import { oursOfPublic } from '../access/caller.ts';
import { isNotModified } from '../oci/conditional.ts';
import type { Digest } from '../oci/digest.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { RegistryError } from '../oci/errors.ts';
import { type Listing, type Manifest, isManifestType } from '../oci/manifest.ts';
import type { ManifestPull } from '../oci/pull.ts';
import { type Reference, type Repository, isTag, repositoryKey } from '../oci/reference.ts';
import { unknownManifest } from '../oci/unknown.ts';
import type { Outcome } from './events.ts';
import { Flights } from './flights.ts';
import { type Freshness, isFresh, mayBeStale, stretched } from './freshness.ts';
import { anybodys } from './origin.ts';
import type { Parts } from './parts.ts';
import type { Pointer } from './ports.ts';
import type { PullAhead } from './pull-ahead.ts';
import { Readings } from './readings.ts';
import { manifestReply, notModified } from './replies.ts';
import type { Reply } from './reply.ts';
import { isWhole } from './whole.ts';

/** A manifest, and what it lists. */
interface Read extends Manifest {
  readonly listing: Listing;
}

/** Where a reference leads, and how we know. */
interface Found {
  readonly descriptor: Descriptor;
  readonly outcome: Outcome;
  /** Its bytes, if finding it brought them along. */
  readonly manifest?: Read | undefined;
  /** Why this is stale. */
  readonly trouble?: RegistryError;
}

export class Manifests {
  readonly #parts: Parts;
  readonly #fetches = new Flights<Read>();
  readonly #readings = new Readings();
  readonly #ahead: PullAhead | undefined;

  /** `ahead`: is told what goes out. */
  constructor(parts: Parts, ahead?: PullAhead) {
    this.#parts = parts;
    this.#ahead = ahead;
  }

  async pull(pull: ManifestPull, signal: AbortSignal): Promise<Reply> {
    const { reference, head, conditions } = pull;
    const found = await this.#find(reference, head);
    signal.throwIfAborted();
    if (isNotModified(conditions, found.descriptor.digest)) return notModified(found.descriptor.digest, found.outcome);
    if (head) return manifestReply(found.descriptor, undefined, found.outcome, found.trouble);
    const { manifest, outcome } = await this.#bring(reference.repository, found);
    this.#ahead?.sent(reference.repository, manifest.descriptor.digest, manifest.listing);
    return manifestReply(manifest.descriptor, manifest.bytes, outcome, found.trouble);
  }

  /** An index that is read as a list, and good for something even if nothing that it lists is here. undefined: there is none of that name. */
  async getList(
    reference: Reference,
  ): Promise<{ readonly manifest: Manifest; readonly trouble?: RegistryError | undefined } | undefined> {
    try {
      const found = await this.#find(reference, false, true);
      const { manifest } = await this.#bring(reference.repository, found);
      return { manifest, trouble: found.trouble };
    } catch (error) {
      if (error instanceof RegistryError && error.status === 404) return undefined;
      throw error;
    }
  }

  /**
   * Admission and freshness in one: what we hold is enough while the repository is known to be public and the name fresh.
   * Else the upstream is asked, anonymously; and only if it cannot answer, what we hold has to do.
   */
  async #find(reference: Reference, head: boolean, isList = false): Promise<Found> {
    const { repository, target } = reference;
    const { book, clock, inquiry, kept } = this.#parts;
    const freshness = this.#parts.freshness(repository.registry);
    const standing = standingOf(await book.verdict(repository), clock.now(), freshness.staleFor);
    const held = await this.#held(reference);
    const fresh = held !== undefined && (!isTag(target) || this.#isFresh(repository, held, freshness));
    if (fresh && standing === 'fresh') {
      const good = isList || inquiry.reached(repository) || (await isWhole(this.#parts, repository, held.descriptor));
      if (good) return { descriptor: held.descriptor, outcome: 'hit' };
    }

    const usable =
      held !== undefined && standing !== 'none' && (!isTag(target) || mayBeStale(held, clock.now(), freshness));
    const resting = inquiry.resting(repository, target);
    try {
      if (usable && resting !== undefined) throw resting;
      // Fetching it is as good a proof as a HEAD, and saves one; but what is fetched in our own name proves nothing.
      const proves = !this.#parts.credentialed(repository.registry);
      // Unproven here, it is not looked for: how long that takes would tell what others have brought.
      const isMissing = async (digest: Digest) =>
        held === undefined || (await kept.read(repository, digest)) === undefined;
      if (proves && !head && !isTag(target) && standing === 'fresh' && (await isMissing(target))) {
        const manifest = await this.#fetch(repository, target);
        return { descriptor: manifest.descriptor, manifest, outcome: 'miss' };
      }
      const resolved = await inquiry.look(reference, (descriptor) => this.#follow(repository, held, descriptor));
      if (resolved === undefined) throw unknownManifest(reference);
      if (resolved.manifest === undefined) return { descriptor: resolved.descriptor, outcome: 'forward' };
      const manifest = await this.#learn(repository, resolved.manifest);
      return { descriptor: manifest.descriptor, manifest, outcome: 'miss' };
    } catch (error) {
      if (!usable || !(error instanceof RegistryError) || !error.passing) throw error;
      // podman and CRI-O choose their endpoint at the manifest and do not fall back after it: half an image is worse than none.
      if (!isList && !(await isWhole(this.#parts, repository, held.descriptor))) throw error;
      this.#parts.report({ kind: 'stale', repository, name: target, error });
      return { descriptor: held.descriptor, outcome: 'stale', trouble: error };
    }
  }

  #isFresh(repository: Repository, held: Pointer, freshness: Freshness): boolean {
    const now = this.#parts.clock.now();
    if (isFresh(held, now, freshness)) return true;
    return isFresh(held, now, stretched(freshness, this.#parts.upstream.allowance(repository)));
  }

  /** What a tag has moved to is fetched at once, also for a HEAD: until that has worked, it goes on pointing at what is here. */
  async #follow(
    repository: Repository,
    held: Pointer | undefined,
    { digest }: Descriptor,
  ): Promise<Manifest | undefined> {
    if (held === undefined || held.descriptor.digest === digest) return undefined;
    return (await this.#parts.kept.read(repository, digest)) === undefined
      ? this.#fetch(repository, digest)
      : undefined;
  }

  async #held(reference: Reference): Promise<Pointer | undefined> {
    const { repository, target } = reference;
    const { book } = this.#parts;
    if (isTag(target)) {
      const pointer = await book.pointer(repository, target);
      // What was deleted by its digest is gone from every name.
      const known = pointer && (await book.standing(repository, pointer.descriptor.digest));
      return known && pointer;
    }
    const descriptor = await book.standing(repository, target);
    // Proven as a layer or a config is not proven as a manifest.
    return descriptor && isManifestType(descriptor.mediaType) ? { descriptor, checkedAt: 0 } : undefined;
  }

  /** The bytes, from here or from upstream, checked against the media type under which this repository has them. */
  async #bring(repository: Repository, found: Found): Promise<{ manifest: Read; outcome: Outcome }> {
    const { descriptor } = found;
    if (found.manifest !== undefined) return { manifest: found.manifest, outcome: found.outcome };
    const bytes = await this.#parts.kept.read(repository, descriptor.digest);
    if (bytes === undefined) return { manifest: await this.#fetch(repository, descriptor.digest), outcome: 'miss' };
    const manifest = this.#read(descriptor, bytes);
    return { manifest, outcome: found.outcome === 'forward' ? 'hit' : found.outcome };
  }

  #fetch(repository: Repository, digest: Digest): Promise<Read> {
    const { inquiry, upstream, kept, closing } = this.#parts;
    return this.#fetches.share(`${repositoryKey(repository)} ${digest}`, async () => {
      const reference = { repository, target: digest };
      // It may have come in between the look at what we hold and now.
      const held = await this.#held(reference);
      const bytes = held === undefined ? undefined : await kept.read(repository, digest);
      if (held !== undefined && bytes !== undefined) return this.#read(held.descriptor, bytes);
      const manifest = await inquiry.fetch(repository, digest, () =>
        upstream.manifest(reference, oursOfPublic, closing),
      );
      if (manifest === undefined) throw unknownManifest(reference);
      return this.#learn(repository, manifest);
    });
  }

  /** Reads, keeps and writes down what the upstream just vouched for. Throws if it is not what it is said to be; then nothing is kept. */
  async #learn(repository: Repository, { descriptor, bytes }: Manifest): Promise<Read> {
    const { book, kept } = this.#parts;
    const listing = this.#readings.read(descriptor, bytes);
    const known = { mediaType: listing.mediaType, digest: descriptor.digest, size: bytes.length };
    const manifest = { descriptor: known, bytes, listing };
    await book.link(repository, manifest.descriptor);
    await kept.keep(manifest, anybodys);
    return manifest;
  }

  #read(descriptor: Descriptor, bytes: Uint8Array): Read {
    return { descriptor, bytes, listing: this.#readings.read(descriptor, bytes) };
  }
}
