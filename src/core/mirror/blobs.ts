// Pulls of blobs: from the store, from a fill that everybody shares, or past the store if it cannot take them.
import { type Asker, isSomebody } from '../access/caller.ts';
import { isNotModified, isRangeWanted } from '../oci/conditional.ts';
import { RegistryError } from '../oci/errors.ts';
import type { BlobPull } from '../oci/pull.ts';
import { isWhole } from '../oci/range.ts';
import { unknownBlob } from '../oci/unknown.ts';
import { type Admission, type NamedPull, sizeProven } from './blob-inquiry.ts';
import type { Outcome } from './events.ts';
import { type Flight, BlobFlights, type Underway } from './blob-flights.ts';
import type { BlobParts } from './parts.ts';
import { passBlobPull } from './pass.ts';
import { PastStore } from './past.ts';
import { type Content, NoRoom } from './ports.ts';
import { PullAhead } from './pull-ahead.ts';
import { blobHead, blobReply, notModified } from './replies.ts';
import { type Reply, discard } from './reply.ts';

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
    const { inquiry, privately } = this.#parts;
    if (!isSomebody(as)) return this.#serve({ ...pull, inquiry }, signal);
    if (privately === undefined) return passBlobPull(pull, as, this.#parts, signal);
    return this.#serve({ ...pull, inquiry: await privately.of(as, pull.repository) }, signal);
  }

  async #serve(pull: NamedPull, signal: AbortSignal): Promise<Reply> {
    const { digest, conditions } = pull;
    const admission = await this.#admit(pull);
    signal.throwIfAborted();
    if (admission.proven && isNotModified(conditions, digest)) return notModified(digest, 'hit');
    if (pull.head) return this.#head(pull, admission);
    const range = isRangeWanted(conditions, digest) ? pull.range : undefined;
    const reply = await this.#get({ ...pull, range }, admission, signal);
    const kept = reply.outcome !== undefined && keptOutcomes.has(reply.outcome);
    // Nobody's login fetches what its owner has not asked for.
    const foreseeable = kept && isWhole(range) && pull.inquiry === this.#parts.inquiry;
    // containerd fetches a layer in parts: it asks for an open end, and breaks off when it has its part.
    if (foreseeable) this.ahead.wanted(pull.repository, digest, range === undefined ? signal : undefined);
    return reply;
  }

  /** What the pull is admitted by. Before that nothing of what is here, or under way, is looked at. */
  #admit({ inquiry, repository, digest }: NamedPull): Promise<Admission> {
    return inquiry.admit(repository, digest, this.#parts.freshness(repository.registry).staleFor);
  }

  /** Never starts a fill. */
  async #head(pull: NamedPull, { size, proven, trouble }: Admission): Promise<Reply> {
    const { inquiry, repository, digest } = pull;
    const told = proven ? size : await sizeProven(inquiry, repository, digest, size);
    const here = await this.#here(pull);
    if (here !== undefined && here === (told ?? here)) {
      return blobHead(digest, here, trouble ? 'stale' : 'hit', trouble);
    }
    if (here !== undefined) this.#past.suspect(pull, here);
    if (trouble !== undefined) throw trouble;
    // Proven some time ago and not here: whether it is still there, only the upstream knows.
    return blobHead(digest, proven ? await sizeProven(inquiry, repository, digest) : told, 'forward');
  }

  /** Bytes, if this registry's word is enough to open it. */
  async #here({ repository, digest }: NamedPull): Promise<number | undefined> {
    const { origins, store } = this.#parts;
    return (await origins.opens(repository, digest)) ? store.stat(digest) : undefined;
  }

  async #get(pull: NamedPull, admission: Admission, signal: AbortSignal, round = 1): Promise<Reply> {
    signal.throwIfAborted();
    const { digest, range } = pull;
    const atRest = await this.#atRest(pull, admission);
    if (atRest !== undefined) return atRest;
    if (admission.trouble !== undefined) throw admission.trouble;
    const past = round > mostRounds ? 'forward' : this.#past.get(digest);
    if (past !== undefined) return this.#past.reply(pull, past, signal);

    const running = this.#flights.get(digest);
    if (running !== undefined && !mayRead(running, pull)) return this.#past.reply(pull, 'forward', signal);
    const wasAnswered = running?.answered === true;
    const flight = running ?? this.#flights.start(pull, admission.size);
    signal.addEventListener('abort', () => this.#flights.left(flight, pull), { once: true });
    await this.#join(flight, pull, admission);
    let content: Content | undefined;
    try {
      content = await (await flight.filling)?.open(range);
    } catch (error) {
      if (error instanceof NoRoom) return this.#past.reply(pull, this.#past.remember(digest, error), signal);
      if (!(error instanceof RegistryError)) throw error;
      // That a range is out of bounds tells how large the blob is.
      if (error.status === 416) await this.#vouched(flight, pull);
      const joined = running !== undefined && (wasAnswered || running.starter !== pull.inquiry.party(pull.repository));
      if (!(joined && error.passing) && !isAnothers(error, flight)) throw error;
      await flight.landed;
    }
    // It came to rest while we looked, was over before we joined, or failed by what another party's upstream said.
    if (content === undefined) return this.#getAgain(pull, signal, round + 1);
    const outcome = running === undefined ? 'miss' : 'collapsed';
    return this.#fromFlight(pull, flight, this.#past.surely(pull, content, signal), outcome);
  }

  /** As if it came just now: what it was admitted by may have changed while it waited. */
  async #getAgain(pull: NamedPull, signal: AbortSignal, round: number): Promise<Reply> {
    return this.#get(pull, await this.#admit(pull), signal, round);
  }

  async #atRest(pull: NamedPull, { size: known, proven, trouble }: Admission): Promise<Reply | undefined> {
    const { inquiry, repository, digest, range } = pull;
    const { origins, store } = this.#parts;
    if (!(await origins.opens(repository, digest))) return undefined;
    let size = known;
    if (!proven) {
      // The bytes came by way of another repository. Before the proof nothing is told, not even that a range is out of bounds.
      if ((await store.stat(digest)) === undefined) return undefined;
      size = await sizeProven(inquiry, repository, digest, known);
    }
    const content = await store.open(digest, range);
    if (content === undefined) return undefined;
    if (size !== undefined && content.size !== size) {
      await discard(content.body);
      this.#past.suspect(pull, content.size);
      return undefined;
    }
    if (size === undefined) await inquiry.proven(repository, digest, content.size);
    return blobReply(digest, content, trouble ? 'stale' : 'hit', trouble);
  }

  /** Whoever comes from another repository proves first that the blob is there too, and lends its upstream to the flight. */
  async #join(flight: Flight, pull: NamedPull, { proven }: Admission): Promise<void> {
    const { inquiry, repository, digest } = pull;
    if (!proven) {
      if (flight.parties.has(inquiry.party(repository))) return;
      await sizeProven(inquiry, repository, digest);
    }
    this.#flights.vouch(flight, pull);
  }

  async #fromFlight(pull: NamedPull, flight: Flight, content: Content, outcome: Outcome): Promise<Reply> {
    try {
      await this.#vouched(flight, pull);
      return blobReply(pull.digest, content, outcome);
    } catch (error) {
      await discard(content.body);
      throw error;
    }
  }

  /** Throws unless the blob is proven to be in this repository: it may be another's upstream that has answered. */
  async #vouched(flight: Flight, pull: NamedPull): Promise<void> {
    const { inquiry, repository, digest } = pull;
    const word = flight.parties.get(inquiry.party(repository));
    if (word === 'proven') return;
    // Ours refused while we waited.
    if (word === undefined) throw unknownBlob(repository, digest);
    await sizeProven(inquiry, repository, digest);
    this.#flights.vouch(flight, pull);
  }
}

/** Whom it names, counts, or sends to log in, may be another party: everybody hears his own refusal. */
function isAnothers({ status }: RegistryError, { isShared }: Flight): boolean {
  return isShared && [401, 403, 404, 429].includes(status);
}

/** What a flight brings in somebody's name is for his registry alone; what it brings in nobody's, he might wait for in vain elsewhere. */
function mayRead({ origin, registry }: Flight, { inquiry, repository }: NamedPull): boolean {
  return origin === inquiry.origin(repository) || registry === repository.registry;
}
