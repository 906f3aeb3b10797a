// Pulls of blobs: from the store, from a fill that everybody shares, or past the store if it cannot take them.
import { standingOf } from '../access/admit.ts';
import { type Asker, isSomebody } from '../access/caller.ts';
import { isNotModified, isRangeWanted } from '../oci/conditional.ts';
import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import { isManifestType } from '../oci/manifest.ts';
import type { BlobPull } from '../oci/pull.ts';
import { isWhole } from '../oci/range.ts';
import { type Repository, repositoryKey } from '../oci/reference.ts';
import { unknownBlob } from '../oci/unknown.ts';
import type { Outcome } from './events.ts';
import { type Flight, BlobFlights, type Underway } from './blob-flights.ts';
import type { BlobParts } from './parts.ts';
import { passBlobPull } from './pass.ts';
import { PastStore } from './past.ts';
import { type Content, NoRoom } from './ports.ts';
import { PullAhead } from './pull-ahead.ts';
import { blobHead, blobReply, notModified } from './replies.ts';
import { type Reply, discard } from './reply.ts';

interface Admission {
  /** Bytes, as the upstream has told, now or earlier. */
  readonly size: number | undefined;
  /** It was asked just now and said so, perhaps without telling a size. */
  readonly proven: boolean;
  /** Why nobody could be asked. */
  readonly trouble?: RegistryError;
}

/** What the client gets is in the store, or on its way there, and the upstream is not in trouble. */
const keptOutcomes: ReadonlySet<Outcome> = new Set(['hit', 'miss', 'collapsed']);
/** Rounds of finding a blob neither at rest nor coming in, before it is taken past the store. */
const mostRounds = 3;

export class Blobs {
  readonly ahead: PullAhead;
  readonly #parts: BlobParts;
  readonly #flights: BlobFlights;
  readonly #past: PastStore;

  constructor(parts: BlobParts, underway: Underway | undefined) {
    this.#parts = parts;
    this.#past = new PastStore(parts);
    this.#flights = new BlobFlights(parts, (digest, error) => this.#past.remember(digest, error), underway);
    this.ahead = new PullAhead(parts, this.#flights);
  }

  async pull(pull: BlobPull, as: Asker, signal: AbortSignal): Promise<Reply> {
    if (isSomebody(as)) return passBlobPull(pull, as, this.#parts, signal);
    const { digest, conditions } = pull;
    const admission = await this.#admit(pull.repository, digest);
    signal.throwIfAborted();
    if (admission.proven && isNotModified(conditions, digest)) return notModified(digest, 'hit');
    if (pull.head) return this.#head(pull, admission);
    const range = isRangeWanted(conditions, digest) ? pull.range : undefined;
    const reply = await this.#get({ ...pull, range }, admission, signal);
    const kept = reply.outcome !== undefined && keptOutcomes.has(reply.outcome);
    // containerd fetches a layer in parts: it asks for an open end, and breaks off when it has its part.
    if (kept && isWhole(range)) this.ahead.wanted(pull.repository, digest, range === undefined ? signal : undefined);
    return reply;
  }

  /** The repository is public, as far as is known; whether this blob is in it may still have to be proven. */
  async #admit(repository: Repository, digest: Digest): Promise<Admission> {
    const { book, clock, inquiry } = this.#parts;
    const { staleFor } = this.#parts.freshness(repository.registry);
    const verdict = standingOf(await book.verdict(repository), clock.now(), staleFor);
    const standing = await book.standing(repository, digest);
    // Proven as a manifest is not proven as a blob: registries keep them apart.
    const proven = standing !== undefined && !isManifestType(standing.mediaType);
    const size = standing?.size;
    if (verdict === 'fresh') return { size, proven };

    const usable = verdict === 'stale' && proven;
    const resting = inquiry.resting(repository, digest);
    if (usable && resting !== undefined) return { size, proven, trouble: resting };
    try {
      return { size: await this.#prove(repository, digest, size), proven: true };
    } catch (error) {
      if (usable && error instanceof RegistryError && error.passing) return { size, proven, trouble: error };
      throw error;
    }
  }

  /** Bytes: those that are `known`, else if the upstream tells. Throws BLOB_UNKNOWN if it has no such blob in this repository. */
  async #prove(repository: Repository, digest: Digest, known?: number): Promise<number | undefined> {
    const proof = await this.#parts.inquiry.prove(repository, digest);
    if (proof === undefined) throw unknownBlob(repository, digest);
    return known ?? proof.size;
  }

  /** Never starts a fill. */
  async #head({ repository, digest }: BlobPull, { size, proven, trouble }: Admission): Promise<Reply> {
    const told = proven ? size : await this.#prove(repository, digest, size);
    const here = await this.#parts.store.stat(digest);
    if (here !== undefined && here === (told ?? here)) {
      return blobHead(digest, here, trouble ? 'stale' : 'hit', trouble);
    }
    if (here !== undefined) this.#past.suspect(repository, digest, here);
    if (trouble !== undefined) throw trouble;
    // Proven some time ago and not here: whether it is still there, only the upstream knows.
    return blobHead(digest, proven ? await this.#prove(repository, digest) : told, 'forward');
  }

  async #get(pull: BlobPull, admission: Admission, signal: AbortSignal, round = 1): Promise<Reply> {
    signal.throwIfAborted();
    const { repository, digest, range } = pull;
    const atRest = await this.#atRest(pull, admission);
    if (atRest !== undefined) return atRest;
    if (admission.trouble !== undefined) throw admission.trouble;
    const past = round > mostRounds ? 'forward' : this.#past.get(digest);
    if (past !== undefined) return this.#past.reply(pull, past, signal);

    const running = this.#flights.get(digest);
    const answered = running?.answered === true;
    const flight = running ?? this.#flights.start(repository, digest, admission.size);
    try {
      await this.#join(flight, pull, admission);
      const content = await (await flight.filling)?.open(range);
      // undefined: it came to rest while we looked.
      if (content === undefined) return await this.#getAgain(pull, signal, round + 1);
      const outcome = running === undefined ? 'miss' : 'collapsed';
      return await this.#fromFlight(pull, flight, this.#past.surely(pull, content, signal), outcome);
    } catch (error) {
      if (error instanceof NoRoom) return this.#past.reply(pull, this.#past.remember(digest, error), signal);
      // That a range is out of bounds tells how large the blob is.
      if (error instanceof RegistryError && error.status === 416) await this.#vouched(flight, pull);
      // It was over before we joined, or failed by what another repository's upstream said. Else it is our own upstream's failure.
      const anothers = running !== undefined && (answered || running.starter !== repositoryKey(repository));
      if (!anothers || round > mostRounds || !(error instanceof RegistryError) || !error.passing) throw error;
      await running.landed;
      return this.#getAgain(pull, signal, round + 1);
    }
  }

  /** As if it came just now: what it was admitted by may have changed while it waited. */
  async #getAgain(pull: BlobPull, signal: AbortSignal, round: number): Promise<Reply> {
    return this.#get(pull, await this.#admit(pull.repository, pull.digest), signal, round);
  }

  async #atRest(
    { repository, digest, range }: BlobPull,
    { size: known, proven, trouble }: Admission,
  ): Promise<Reply | undefined> {
    const { store, inquiry } = this.#parts;
    let size = known;
    if (!proven) {
      // The bytes came by way of another repository. Before the proof nothing is told, not even that a range is out of bounds.
      if ((await store.stat(digest)) === undefined) return undefined;
      size = await this.#prove(repository, digest, known);
    }
    const content = await store.open(digest, range);
    if (content === undefined) return undefined;
    if (size !== undefined && content.size !== size) {
      await discard(content.body);
      this.#past.suspect(repository, digest, content.size);
      return undefined;
    }
    if (size === undefined) await inquiry.proven(repository, digest, content.size);
    return blobReply(digest, content, trouble ? 'stale' : 'hit', trouble);
  }

  /** Whoever comes from another repository proves first that the blob is there too, and lends its upstream to the flight. */
  async #join(flight: Flight, { repository, digest }: BlobPull, { proven }: Admission): Promise<void> {
    if (!proven) {
      if (flight.repositories.has(repositoryKey(repository))) return;
      await this.#prove(repository, digest);
    }
    this.#flights.vouch(flight, repository, digest);
  }

  async #fromFlight(pull: BlobPull, flight: Flight, content: Content, outcome: Outcome): Promise<Reply> {
    try {
      await this.#vouched(flight, pull);
      return blobReply(pull.digest, content, outcome);
    } catch (error) {
      await discard(content.body);
      throw error;
    }
  }

  /** Throws unless the blob is proven to be in this repository: it may be another's upstream that has answered. */
  async #vouched(flight: Flight, { repository, digest }: BlobPull): Promise<void> {
    const word = flight.repositories.get(repositoryKey(repository));
    if (word === 'proven') return;
    // Ours refused while we waited.
    if (word === undefined) throw unknownBlob(repository, digest);
    await this.#prove(repository, digest);
    this.#flights.vouch(flight, repository, digest);
  }
}
