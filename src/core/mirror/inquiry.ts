// Asking an upstream in nobody's name: once however many ask, and what was learned is written down.
//
// An anonymous 200 is three answers in one: the object is there, it belongs to this repository (proven), and the
// repository is public (the verdict). DESIGN, "Trust", says what follows from each of the other answers.
import { anonymous } from '../access/caller.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { RegistryError, Spent, Unreachable } from '../oci/errors.ts';
import { type Manifest, isManifestType } from '../oci/manifest.ts';
import { type Reference, type Repository, isTag, repositoryKey } from '../oci/reference.ts';
import { type Admission, type BlobInquiry, type Proof, admitAnybody } from './blob-inquiry.ts';
import { Flights } from './flights.ts';
import { judgedFor, longestRefused, missingFor, reachedFor, refusedFor, restAfter } from './freshness.ts';
import type { Memory } from './memory.ts';
import { anybodys, type Origin } from './origin.ts';
import type { Book, Clock, Incoming, Resolved, Source, Upstream } from './ports.ts';

/** Brings what a tag has moved to. undefined: there is no need to. */
export type Follow = (descriptor: Descriptor) => Promise<Manifest | undefined>;

const blobType = 'application/octet-stream';

export class Inquiry implements BlobInquiry {
  readonly #upstream: Upstream;
  readonly #book: Book;
  readonly #clock: Clock;
  readonly #closing: AbortSignal;
  readonly #looks = new Flights<Resolved | undefined>();
  readonly #proofs = new Flights<Proof | undefined>();
  /** What somebody has changed while we were looking. */
  readonly #changed = new Set<string>();
  readonly #memory: Memory;
  readonly #heeded = new WeakSet<RegistryError>();

  constructor(upstream: Upstream, book: Book, memory: Memory, clock: Clock, closing: AbortSignal) {
    this.#upstream = upstream;
    this.#book = book;
    this.#clock = clock;
    this.#closing = closing;
    this.#memory = memory;
  }

  party(repository: Repository): string {
    return repositoryKey(repository);
  }

  origin(): Origin {
    return anybodys;
  }

  admit(repository: Repository, digest: Digest, staleFor: number): Promise<Admission> {
    return admitAnybody({ book: this.#book, clock: this.#clock, inquiry: this }, repository, digest, staleFor);
  }

  /** Why the upstream is not asked about this subject just now, if it is not: a moment ago it could not answer. */
  resting(repository: Repository, subject: string): RegistryError | undefined {
    const key = repositoryKey(repository);
    return this.#memory.resting.get(key) ?? this.#memory.resting.get(`${key} ${subject}`);
  }

  /** Somebody has answered for this repository a moment ago, and nobody has failed to since. */
  reached(repository: Repository): boolean {
    return this.#memory.reached.get(repositoryKey(repository)) === true;
  }

  /**
   * What the upstream says a tag or a manifest's digest is, now. undefined: it has no such manifest. Before a tag is written down
   * as leading somewhere, `follow` fetches what there is to fetch of that; what it throws leaves the tag where it was.
   */
  look(reference: Reference, follow: Follow): Promise<Resolved | undefined> {
    const { repository, target } = reference;
    const key = `${repositoryKey(repository)} ${target}`;
    if (this.#memory.missing.get(key) === true) return Promise.resolve(undefined);
    return this.#looks.share(key, async () => {
      for (;;) {
        this.#changed.delete(key);
        const resolved = await this.#look(reference, key, follow);
        if (!this.#changed.has(key)) return resolved;
      }
    });
  }

  async #look(reference: Reference, key: string, follow: Follow): Promise<Resolved | undefined> {
    const { repository, target } = reference;
    const question = () => this.#upstream.resolve(reference, anonymous, this.#closing);
    const resolved = await this.ask(repository, target, question);
    if (resolved === undefined) {
      this.#memory.missing.set(key, true, missingFor);
      await this.#goneManifest(reference);
      return undefined;
    }
    const { descriptor } = resolved;
    const checkedAt = this.#clock.now();
    await this.#book.link(repository, descriptor);
    if (!isTag(target)) return resolved;
    const manifest = resolved.manifest ?? (await this.#followed(reference, () => follow(descriptor)));
    await this.#book.point(repository, target, { descriptor, checkedAt });
    return { descriptor, ...(manifest && { manifest }) };
  }

  /** While what it has moved to cannot be fetched, a tag is not looked at again and again. */
  async #followed({ repository, target }: Reference, bring: () => ReturnType<Follow>): ReturnType<Follow> {
    try {
      return await bring();
    } catch (error) {
      if (error instanceof RegistryError && error.passing) this.#mind(repository, target, error);
      throw error;
    }
  }

  /** Somebody has just changed it at the registry: what was learned of it so far, or is being learned, counts no longer. */
  async forget({ repository, target }: Reference): Promise<void> {
    const key = `${repositoryKey(repository)} ${target}`;
    if (this.#looks.has(key)) this.#changed.add(key);
    this.#memory.missing.delete(key);
    if (isTag(target)) await this.#book.point(repository, target, undefined);
    else await this.#book.disown(repository, target);
  }

  prove(repository: Repository, digest: Digest): Promise<Proof | undefined> {
    return this.#proofs.share(`${repositoryKey(repository)} ${digest}`, async () => {
      const question = () => this.#upstream.stat(repository, digest, anonymous, this.#closing);
      const found = await this.ask(repository, digest, question);
      if (found === undefined) await this.gone(repository, digest);
      else await this.proven(repository, digest, found.size);
      return found;
    });
  }

  source(repository: Repository, digest: Digest, told: (has: boolean) => void): Source {
    const found = async (size: number | undefined): Promise<void> => {
      await this.proven(repository, digest, size);
      told(true);
    };
    return this.#opening(repository, digest, found, () => told(false));
  }

  unkeptSource(repository: Repository, digest: Digest): Source {
    return this.#opening(
      repository,
      digest,
      async () => {},
      () => {},
    );
  }

  #opening(
    repository: Repository,
    digest: Digest,
    found: (size: number | undefined) => Promise<void>,
    refused: () => void,
  ): Source {
    const open = this.#upstream.blob(repository, digest, anonymous);
    let answered = false;
    return async (offset, signal, end): Promise<Incoming> => {
      // A further connection is our own idea: that it is refused says nothing about what others ask for.
      if (answered) return open(offset, signal, end);
      try {
        const incoming = await this.fetch(repository, digest, () => open(offset, signal, end));
        answered = true;
        await found(incoming.size);
        return incoming;
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        // 416 is about the range.
        if (!error.passing && error.status !== 416) refused();
        if (error.status === 404) await this.gone(repository, digest);
        throw error;
      }
    };
  }

  /**
   * Writes down that a blob is in a repository, if its size is known; else whoever learns the size calls again. A digest has
   * one size, and it is known `surely` from bytes that match it; until then the first word of the upstream counts.
   */
  async proven(repository: Repository, digest: Digest, size: number | undefined, surely = false): Promise<void> {
    if (size === undefined) return;
    const known = await this.#book.standing(repository, digest);
    if (known !== undefined && !surely) return;
    await this.#book.link(repository, { mediaType: known?.mediaType ?? blobType, digest, size });
  }

  /** The same where nobody looks at bytes: there the last word of the upstream counts, or a wrong one would for good. */
  async retold(repository: Repository, digest: Digest, size: number | undefined): Promise<void> {
    if (size === undefined) return;
    const { mediaType } = (await this.#book.standing(repository, digest)) ?? { mediaType: blobType };
    if (!isManifestType(mediaType)) await this.#book.link(repository, { mediaType, digest, size });
  }

  /** The registry itself has just said that it has no such blob there: the same as of a manifest (`#goneManifest`). */
  async gone(repository: Repository, digest: Digest): Promise<void> {
    const known = await this.#book.standing(repository, digest);
    if (known !== undefined && !isManifestType(known.mediaType)) await this.#disown(repository, digest);
  }

  async doubt(repository: Repository, digest: Digest): Promise<void> {
    const known = await this.#book.standing(repository, digest);
    if (known !== undefined && !isManifestType(known.mediaType)) await this.#book.disown(repository, digest);
  }

  leaveAlone(repository: Repository, digest: Digest, error: unknown): void {
    if (!(error instanceof RegistryError) || !error.passing || error.retryAfter === 0) return;
    // Whoever is refused in the meantime gets the same error: it was said once, and holds from then on.
    if (this.#heeded.has(error)) return;
    this.#heeded.add(error);
    const ms = Math.min(longestRefused, error.retryAfter);
    this.#memory.refused.set(`${repositoryKey(repository)} ${digest}`, error, ms);
  }

  /** An anonymous question for an object, whose answer only the registry itself gives: a 200 says that the repository is public. */
  async ask<T>(repository: Repository, subject: string, question: () => Promise<T>): Promise<T> {
    const answer = await this.fetch(repository, subject, question);
    const key = repositoryKey(repository);
    this.#memory.resting.delete(key);
    this.#memory.resting.delete(`${key} ${subject}`);
    if (answer !== undefined && this.#memory.judged.get(key) === undefined) {
      await this.#book.judge(repository, { asOf: this.#clock.now() });
      this.#memory.judged.set(key, true, judgedFor);
    }
    return answer;
  }

  /** An anonymous question for an object that a third party's mirror may answer too: good for the bytes, but no verdict. */
  async fetch<T>(repository: Repository, subject: string, question: () => Promise<T>): Promise<T> {
    try {
      return await this.#asked(repository, subject, question);
    } catch (error) {
      if (error instanceof RegistryError && [401, 403].includes(error.status)) await this.#revoke(repository);
      throw error;
    }
  }

  /** An anonymous question for a list. Registries give and refuse lists by rules of their own: no verdict either way. */
  list<T>(repository: Repository, subject: string, question: () => Promise<T>): Promise<T> {
    return this.#asked(repository, subject, question);
  }

  /** Every question. Not put to who limits us; what became of it says whether there is any use in asking more. */
  async #asked<T>(repository: Repository, subject: string, question: () => Promise<T>): Promise<T> {
    const key = repositoryKey(repository);
    const refused = this.#memory.refused.get(key) ?? this.#memory.refused.get(`${key} ${subject}`);
    if (refused !== undefined) throw refused;
    try {
      const answer = await question();
      this.#memory.reached.set(key, true, reachedFor);
      return answer;
    } catch (error) {
      if (error instanceof RegistryError && error.passing) this.#mind(repository, subject, error);
      throw error;
    }
  }

  /** Who cannot be reached, or limits us, does so for all of the repository; any other failure is the subject's alone. */
  #mind(repository: Repository, subject: string, error: RegistryError): void {
    const key = repositoryKey(repository);
    const isLimit = error.status === 429 && !(error instanceof Spent);
    const all = error instanceof Unreachable || isLimit;
    this.#memory.resting.set(all ? key : `${key} ${subject}`, error, restAfter(error));
    if (all) this.#memory.reached.delete(key);
    if (isLimit) this.#memory.refused.set(key, error, refusedFor);
  }

  async #revoke(repository: Repository): Promise<void> {
    this.#memory.judged.delete(repositoryKey(repository));
    // Names that were never public are made up by anybody: they leave no trace in the book.
    if ((await this.#book.verdict(repository)) !== undefined) await this.#book.judge(repository, undefined);
  }

  /**
   * A 404. What was there and is gone may mean that the repository is no longer public (registries hide private ones
   * behind 404); what was never seen there, a fallback tag for instance, says nothing about the repository. Nor does it
   * that a layer is no manifest: containerd looks for one digest at both endpoints.
   */
  async #goneManifest({ repository, target }: Reference): Promise<void> {
    if (!isTag(target)) {
      const known = await this.#book.standing(repository, target);
      if (known !== undefined && isManifestType(known.mediaType)) await this.#disown(repository, target);
    } else if ((await this.#book.pointer(repository, target)) !== undefined) {
      await this.#book.point(repository, target, undefined);
      await this.#revoke(repository);
    }
  }

  async #disown(repository: Repository, digest: Digest): Promise<void> {
    await this.#book.disown(repository, digest);
    await this.#revoke(repository);
  }
}
