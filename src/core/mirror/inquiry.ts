// Asking an upstream in nobody's name: once however many ask, and what was learned is written down.
//
// An anonymous 200 is three answers in one: the object is there, it belongs to this repository (proven), and the
// repository is public (the verdict). DESIGN, "Trust", says what follows from each of the other answers.
import { anonymous } from '../access/caller.ts';
import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import { type Reference, type Repository, isTag, repositoryKey } from '../oci/reference.ts';
import { Flights } from './flights.ts';
import { missingFor, reachedFor, restAfter } from './freshness.ts';
import type { Book, Clock, Incoming, Resolved, Source, Upstream } from './ports.ts';
import { Recent } from './recent.ts';

const blobType = 'application/octet-stream';

interface Proof {
  /** Bytes, if the upstream told. */
  readonly size: number | undefined;
}

export class Inquiry {
  readonly #upstream: Upstream;
  readonly #book: Book;
  readonly #clock: Clock;
  readonly #closing: AbortSignal;
  readonly #looks = new Flights<Resolved | undefined>();
  readonly #proofs = new Flights<Proof | undefined>();
  readonly #missing: Recent<true>;
  readonly #resting: Recent<RegistryError>;
  readonly #reached: Recent<true>;

  constructor(upstream: Upstream, book: Book, clock: Clock, closing: AbortSignal) {
    this.#upstream = upstream;
    this.#book = book;
    this.#clock = clock;
    this.#closing = closing;
    this.#missing = new Recent(clock);
    this.#resting = new Recent(clock);
    this.#reached = new Recent(clock);
  }

  /** Why this repository's upstream is left alone just now, if it is: it could not answer a moment ago. */
  resting(repository: Repository): RegistryError | undefined {
    return this.#resting.get(repositoryKey(repository));
  }

  /** This repository's upstream has answered 200 within the last minute. */
  reached(repository: Repository): boolean {
    return this.#reached.get(repositoryKey(repository)) === true;
  }

  /** What the upstream says a tag or a manifest's digest is, now. undefined: it has no such manifest. */
  look(reference: Reference): Promise<Resolved | undefined> {
    const key = `${repositoryKey(reference.repository)} ${reference.target}`;
    if (this.#missing.get(key) === true) return Promise.resolve(undefined);
    return this.#looks.share(key, async () => {
      const { repository, target } = reference;
      const resolved = await this.ask(repository, () => this.#upstream.resolve(reference, anonymous, this.#closing));
      if (resolved === undefined) {
        this.#missing.set(key, true, missingFor);
        await this.#gone(reference);
        return undefined;
      }
      await this.#book.link(repository, [resolved.descriptor], 'proven');
      if (isTag(target)) {
        await this.#book.point(repository, target, { descriptor: resolved.descriptor, checkedAt: this.#clock.now() });
      }
      return resolved;
    });
  }

  /** Whether the upstream has this blob in this repository. undefined: it has not. */
  prove(repository: Repository, digest: Digest): Promise<Proof | undefined> {
    return this.#proofs.share(`${repositoryKey(repository)} ${digest}`, async () => {
      const found = await this.ask(repository, () => this.#upstream.stat(repository, digest, anonymous, this.#closing));
      if (found === undefined) await this.#gone({ repository, target: digest });
      else await this.proven(repository, digest, found.size);
      return found;
    });
  }

  /** A source for a fill. An answer is also a proof; a refusal is told to `refused` before it is thrown. */
  source(repository: Repository, digest: Digest, refused: () => void): Source {
    const open = this.#upstream.blob(repository, digest, anonymous);
    return async (offset, signal): Promise<Incoming> => {
      try {
        const incoming = await this.fetch(repository, () => open(offset, signal));
        await this.proven(repository, digest, incoming.size);
        return incoming;
      } catch (error) {
        if (error instanceof RegistryError && !error.passing) refused();
        if (error instanceof RegistryError && error.status === 404) await this.#gone({ repository, target: digest });
        throw error;
      }
    };
  }

  /** Writes down that a blob is in a repository, if its size is known; else whoever learns the size calls again. */
  async proven(repository: Repository, digest: Digest, told: number | undefined): Promise<void> {
    const known = (await this.#book.standing(repository, digest))?.descriptor;
    const size = told ?? known?.size;
    if (size === undefined) return;
    await this.#book.link(repository, [{ mediaType: known?.mediaType ?? blobType, digest, size }], 'proven');
  }

  /** An anonymous question whose answer only the registry itself gives: a 200 says that the repository is public. */
  async ask<T>(repository: Repository, question: () => Promise<T>): Promise<T> {
    const answer = await this.fetch(repository, question);
    this.#resting.delete(repositoryKey(repository));
    // Once a minute is enough to keep a verdict that holds for fifteen.
    if (answer !== undefined && !this.reached(repository)) {
      await this.#book.judge(repository, { asOf: this.#clock.now() });
      this.#reached.set(repositoryKey(repository), true, reachedFor);
    }
    return answer;
  }

  /** An anonymous question that a third party's mirror may answer too: good for the bytes, but no verdict. */
  async fetch<T>(repository: Repository, question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      if (error instanceof RegistryError) await this.#mind(repository, error);
      throw error;
    }
  }

  async #mind(repository: Repository, error: RegistryError): Promise<void> {
    // 502 is about the one thing that was asked for: the upstream is there, and may answer well about others.
    if (error.passing && error.status !== 502) {
      this.#resting.set(repositoryKey(repository), error, restAfter(error));
    } else if (error.status === 401 || error.status === 403) {
      await this.#revoke(repository);
    }
  }

  async #revoke(repository: Repository): Promise<void> {
    this.#reached.delete(repositoryKey(repository));
    await this.#book.judge(repository, undefined);
  }

  /**
   * A 404. What was there and is gone may mean that the repository is no longer public (registries hide private ones
   * behind 404); what was never seen there, a fallback tag for instance, says nothing about the repository.
   */
  async #gone(reference: Reference): Promise<void> {
    const { repository, target } = reference;
    if (isTag(target)) {
      if ((await this.#book.pointer(repository, target)) === undefined) return;
      await this.#book.point(repository, target, undefined);
      await this.#revoke(repository);
    } else if ((await this.#book.standing(repository, target))?.sure === 'proven') {
      await this.#book.disown(repository, target);
      await this.#revoke(repository);
    }
  }
}
