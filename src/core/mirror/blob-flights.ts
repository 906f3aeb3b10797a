// Downloads under way: at most one a digest, and whose upstreams answer for it.
import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import type { NamedPull } from './blob-inquiry.ts';
import { anybodys, type Origin } from './origin.ts';
import type { Parts } from './parts.ts';
import { type Fill, NoRoom, type Source } from './ports.ts';

/** A blob, and in whose name it is asked for. */
export type Named = Pick<NamedPull, 'inquiry' | 'repository' | 'digest'>;

export interface Flight {
  /** For whom it was started (`BlobInquiry.party`). */
  readonly starter: string;
  /** What the bytes have that it brings: nobody of another lends it an upstream. */
  readonly origin: Origin;
  /** Of the starter. */
  readonly registry: string;
  /** undefined: the blob turned out to be in the store already. */
  readonly filling: Promise<Fill | undefined>;
  /** Resolves when it is over, well or not, and forgotten. */
  readonly landed: Promise<void>;
  /** By party, in the order in which they are asked. None when it is over: a slow reader is no reason to hold logins. */
  readonly sources: Map<string, Source>;
  /** Another party than the starter has lent it an upstream: how it ends may be meant for somebody else. */
  isShared: boolean;
  /** What is known of those parties: who is refused goes. Only a word of its own upstream proves anything. */
  readonly parties: Map<string, 'being asked' | 'proven'>;
  /** It is known what there is to read: the upstream has answered, or will not. */
  answered: boolean;
}

export type Underway = Map<Digest, Flight>;

type Told = (digest: Digest, error: NoRoom) => void;

export class BlobFlights {
  readonly #parts: Parts;
  readonly #noRoom: Told;
  readonly #running: Underway;

  /** `noRoom` is told when the store gives a blob up, be it in the middle. `underway`: those of others over the same store count too. */
  constructor(parts: Parts, noRoom: Told, underway: Underway = new Map()) {
    this.#parts = parts;
    this.#running = underway;
    this.#noRoom = noRoom;
  }

  get(digest: Digest): Flight | undefined {
    return this.#running.get(digest);
  }

  /**
   * In the map before the first await, so that nobody can start a second. `expected`: bytes, if the upstream has told before.
   * `ahead`: nobody asks for it yet.
   */
  start(named: Named, expected: number | undefined, ahead = false): Flight {
    const { inquiry, repository, digest } = named;
    const sources = new Map<string, Source>();
    const live = { [Symbol.iterator]: () => sources.values() };
    const { promise: landed, resolve: land } = Promise.withResolvers<void>();
    const flight: Flight = {
      starter: inquiry.party(repository),
      origin: inquiry.origin(repository),
      registry: repository.registry,
      filling: this.#begin(named, live, expected, ahead),
      landed,
      sources,
      isShared: false,
      parties: new Map(),
      answered: false,
    };
    lend(flight, named);
    this.#running.set(digest, flight);
    void this.#follow(flight, named).finally(land);
    return flight;
  }

  /**
   * The repository is proven to have the blob: the party gets what the flight brings, and its upstream is asked for it too.
   * But not in somebody's name, where others read what is anybody's.
   */
  vouch(flight: Flight, named: Named): void {
    const party = named.inquiry.party(named.repository);
    const lends = flight.origin !== anybodys || named.inquiry.origin(named.repository) === anybodys;
    if (lends && !flight.parties.has(party)) lend(flight, named);
    flight.isShared ||= party !== flight.starter;
    flight.parties.set(party, 'proven');
  }

  /** Whoever is still there is asked before who has left; alone, a flight goes on with what he has left behind. */
  left({ sources }: Flight, { inquiry, repository }: Named): void {
    const party = inquiry.party(repository);
    const source = sources.get(party);
    if (source === undefined || !sources.delete(party)) return;
    sources.set(party, source);
  }

  async #begin(
    { inquiry, repository, digest }: Named,
    sources: Iterable<Source>,
    expected: number | undefined,
    ahead: boolean,
  ): Promise<Fill | undefined> {
    const { origins, store, report, lanes } = this.#parts;
    // It may have come to rest between the look at the store and now.
    if ((await origins.opens(repository, digest)) && (await store.stat(digest)) !== undefined) return undefined;
    report({ kind: 'fill', repository, digest, ahead });
    return store.fill(digest, sources, expected, lanes(repository.registry), inquiry.origin(repository));
  }

  /** Forgotten only once the blob is in the store, so that at every moment it is found in the one or the other. */
  async #follow(flight: Flight, { inquiry, repository, digest }: Named): Promise<void> {
    let began = false;
    try {
      const fill = await flight.filling;
      // Nobody was asked, so nothing was proven.
      if (fill === undefined) return;
      began = await fill.size.then(
        () => true,
        () => false,
      );
      flight.answered = true;
      // Also of one that was refused: until then it may be at what it has written.
      await fill.done;
      // At once: until it is known, what is here looks as if it was still on its way.
      const learnt = this.#parts.origins.learn(flight.origin, digest);
      // An upstream that told no size: only now is it known.
      const size = await this.#parts.store.stat(digest);
      await learnt;
      const isProven = flight.parties.get(flight.starter) === 'proven';
      if (isProven) await inquiry.proven(repository, digest, size, true);
    } catch (error) {
      // Its readers were told, and the store has reported it.
      if (error instanceof NoRoom) this.#noRoom(digest, error);
      // Of several it is not known whose failure it was.
      if (!flight.isShared) inquiry.leaveAlone(repository, digest, error);
      if (isDoubtful(error, began)) await inquiry.doubt(repository, digest);
    } finally {
      this.#running.delete(digest);
      flight.sources.clear();
    }
  }
}

function lend(flight: Flight, { inquiry, repository, digest }: Named): void {
  const { parties, sources } = flight;
  const party = inquiry.party(repository);
  parties.set(party, 'being asked');
  const told = (has: boolean) => (has ? parties.set(party, 'proven') : parties.delete(party));
  flight.isShared ||= party !== flight.starter;
  sources.set(party, inquiry.source(repository, digest, told));
}

/** What the upstream told of the size was not found out to be right, be it that the store gave up. */
function isDoubtful(error: unknown, began: boolean): boolean {
  return began || !(error instanceof RegistryError) || error.status === 502;
}
