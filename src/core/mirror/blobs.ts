// Pulls of blobs: from the store, from a fill that everybody shares, or past the store if it cannot take them.
import { standingOf } from '../access/admit.ts';
import { isNotModified, isRangeWanted } from '../oci/conditional.ts';
import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import type { BlobPull } from '../oci/pull.ts';
import { type Repository, repositoryKey } from '../oci/reference.ts';
import type { Outcome } from './events.ts';
import type { Parts } from './parts.ts';
import { passBlob } from './pass.ts';
import { type Content, type Fill, NoRoom, type Source, type Standing } from './ports.ts';
import { blobHead, blobReply, notModified } from './replies.ts';
import { type Reply, discard } from './reply.ts';
import { unknownBlob } from '../oci/unknown.ts';

/** A download under way, and the repositories that vouch for it. */
interface Flight {
  /** undefined: it turned out to be in the store already. */
  readonly filling: Promise<Fill | undefined>;
  /** Resolves when it is over, well or not, and forgotten. */
  readonly landed: Promise<void>;
  readonly sources: Set<Source>;
  /** Their upstreams have the blob, or are being asked for it just now by this very flight. */
  readonly repositories: Set<string>;
}

interface Admission {
  readonly standing: Standing | undefined;
  /** The upstream has said that this blob is in this repository, now or earlier. */
  readonly proven: boolean;
  /** Bytes, if the upstream was asked and told. */
  readonly size?: number | undefined;
  /** Why nobody could be asked. */
  readonly trouble?: RegistryError;
}

export class Blobs {
  readonly #parts: Parts;
  readonly #flights = new Map<Digest, Flight>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async pull(pull: BlobPull, signal: AbortSignal): Promise<Reply> {
    const { digest, conditions } = pull;
    const admission = await this.#admit(pull.repository, digest);
    signal.throwIfAborted();
    if (admission.proven && isNotModified(conditions, digest)) return notModified(digest, 'hit');
    if (pull.head) return this.#head(pull, admission);
    return this.#get(isRangeWanted(conditions, digest) ? pull : { ...pull, range: undefined }, admission, signal);
  }

  /** The repository is public, as far as is known; whether this blob is in it may still have to be proven. */
  async #admit(repository: Repository, digest: Digest): Promise<Admission> {
    const { book, clock, inquiry } = this.#parts;
    const { staleFor } = this.#parts.freshness(repository.registry);
    const verdict = standingOf(await book.verdict(repository), clock.now(), staleFor);
    const standing = await book.standing(repository, digest);
    const proven = standing?.sure === 'proven';
    if (verdict === 'fresh') return { standing, proven };

    const usable = verdict === 'stale' && proven;
    const resting = inquiry.resting(repository);
    if (usable && resting !== undefined) return { standing, proven, trouble: resting };
    try {
      return { standing, proven: true, size: await this.#prove(repository, digest) };
    } catch (error) {
      if (usable && error instanceof RegistryError && error.passing) return { standing, proven, trouble: error };
      throw error;
    }
  }

  /** Throws BLOB_UNKNOWN if the upstream has no such blob in this repository. */
  async #prove(repository: Repository, digest: Digest): Promise<number | undefined> {
    const proof = await this.#parts.inquiry.prove(repository, digest);
    if (proof === undefined) throw unknownBlob(repository, digest);
    return proof.size;
  }

  /** Never starts a fill. */
  async #head({ repository, digest }: BlobPull, admission: Admission): Promise<Reply> {
    const told = admission.proven ? admission.size : await this.#prove(repository, digest);
    const here = await this.#parts.store.stat(digest);
    const size = here ?? told ?? admission.standing?.descriptor.size;
    if (here !== undefined) return blobHead(digest, size, admission.trouble ? 'stale' : 'hit', admission.trouble);
    if (admission.trouble !== undefined) throw admission.trouble;
    // Proven some time ago and not here: whether it is still there, only the upstream knows.
    const now = admission.proven && told === undefined ? await this.#prove(repository, digest) : told;
    return blobHead(digest, now ?? size, 'forward');
  }

  async #get(pull: BlobPull, admission: Admission, signal: AbortSignal, again = true): Promise<Reply> {
    const { digest, range } = pull;
    const atRest = await this.#parts.store.open(digest, range);
    if (atRest !== undefined) return this.#fromStore(pull, atRest, admission);
    if (admission.trouble !== undefined) throw admission.trouble;
    const running = this.#flights.get(digest);
    const flight = running ?? this.#start(pull.repository, digest, admission.standing?.descriptor.size);
    try {
      if (running !== undefined) await this.#join(running, pull, admission);
      const content = await (await flight.filling)?.open(range);
      // undefined: it came to rest while we looked.
      if (content === undefined) return await this.#get(pull, admission, signal);
      return await this.#fromFlight(pull, flight, content, running === undefined ? 'miss' : 'collapsed');
    } catch (error) {
      if (error instanceof NoRoom) return this.#past(pull, error, signal);
      // A flight that was joined may be over already, or fail by what the repository that started it claims (a size, say).
      if (!again || running === undefined || !(error instanceof RegistryError) || !error.passing) throw error;
      await running.landed;
      return this.#get(pull, admission, signal, false);
    }
  }

  /** The store cannot take it: one download for one client. */
  async #past({ repository, digest, range }: BlobPull, error: NoRoom, signal: AbortSignal): Promise<Reply> {
    const source = this.#parts.inquiry.source(repository, digest, () => {});
    const content = await passBlob(source, digest, range, this.#parts, signal);
    return blobReply(digest, content, error.reason === 'too-large' ? 'too-large' : 'forward');
  }

  async #fromStore({ repository, digest }: BlobPull, content: Content, admission: Admission): Promise<Reply> {
    try {
      // The bytes came by way of another repository. That somebody's manifest lists them here is a claim, not a permission.
      if (!admission.proven) await this.#prove(repository, digest);
      if (admission.standing?.sure !== 'proven') await this.#parts.inquiry.proven(repository, digest, content.size);
    } catch (error) {
      await discard(content.body);
      throw error;
    }
    return blobReply(digest, content, admission.trouble ? 'stale' : 'hit', admission.trouble);
  }

  async #fromFlight(
    { repository, digest }: BlobPull,
    flight: Flight,
    content: Content,
    outcome: Outcome,
  ): Promise<Reply> {
    if (flight.repositories.has(repositoryKey(repository))) return blobReply(digest, content, outcome);
    // Another repository's upstream had it; ours refused while we waited.
    await discard(content.body);
    throw unknownBlob(repository, digest);
  }

  /** In the map before the first await, so that nobody can start a second. */
  #start(repository: Repository, digest: Digest, expected: number | undefined): Flight {
    const { store, report } = this.#parts;
    const sources = new Set<Source>();
    const begin = async () => {
      // It may have come to rest between the look at the store and now.
      if ((await store.stat(digest)) !== undefined) return undefined;
      report({ kind: 'fill', repository, digest });
      return store.fill(digest, sources, expected);
    };
    const filling = begin();
    const repositories = new Set<string>();
    const landed = this.#land(filling, repositories, repository, digest);
    const flight: Flight = { filling, landed, sources, repositories };
    this.#vouch(flight, repository, digest);
    this.#flights.set(digest, flight);
    return flight;
  }

  /** Whoever comes from another repository proves first that the blob is there too, and lends its upstream to the flight. */
  async #join(flight: Flight, { repository, digest }: BlobPull, admission: Admission): Promise<void> {
    if (flight.repositories.has(repositoryKey(repository))) return;
    if (!admission.proven) await this.#prove(repository, digest);
    this.#vouch(flight, repository, digest);
  }

  #vouch(flight: Flight, repository: Repository, digest: Digest): void {
    const key = repositoryKey(repository);
    if (flight.repositories.has(key)) return;
    flight.repositories.add(key);
    flight.sources.add(this.#parts.inquiry.source(repository, digest, () => flight.repositories.delete(key)));
  }

  /** Forgotten only once the blob is in the store, so that at every moment it is found in the one or the other. */
  async #land(
    filling: Flight['filling'],
    repositories: Flight['repositories'],
    repository: Repository,
    digest: Digest,
  ): Promise<void> {
    try {
      await (
        await filling
      )?.done;
      // An upstream that told no size: only now is it known.
      const size = await this.#parts.store.stat(digest);
      if (repositories.has(repositoryKey(repository))) await this.#parts.inquiry.proven(repository, digest, size);
    } catch {
      // Its readers were told, and the store has reported it.
    } finally {
      this.#flights.delete(digest);
    }
  }
}
