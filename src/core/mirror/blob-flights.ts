// Downloads under way: at most one a digest, and who vouches for it.
import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import { type Repository, repositoryKey } from '../oci/reference.ts';
import type { Parts } from './parts.ts';
import { type Fill, NoRoom, type Source } from './ports.ts';

export interface Flight {
  /** The repository that it was started for. */
  readonly starter: string;
  /** undefined: the blob turned out to be in the store already. */
  readonly filling: Promise<Fill | undefined>;
  /** Resolves when it is over, well or not, and forgotten. */
  readonly landed: Promise<void>;
  readonly sources: Set<Source>;
  /** What is known of those whose upstreams are its sources: who refuses goes. Only a word of its own proves anything. */
  readonly repositories: Map<string, 'being asked' | 'proven'>;
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
  start(repository: Repository, digest: Digest, expected: number | undefined, ahead = false): Flight {
    const sources = new Set<Source>();
    const { promise: landed, resolve: land } = Promise.withResolvers<void>();
    const flight: Flight = {
      starter: repositoryKey(repository),
      filling: this.#begin(repository, digest, sources, expected, ahead),
      landed,
      sources,
      repositories: new Map(),
      answered: false,
    };
    this.#lend(flight, repository, digest);
    this.#running.set(digest, flight);
    void this.#follow(flight, repository, digest).finally(land);
    return flight;
  }

  /** The repository is proven to have the blob: its upstream is asked for it too, and it gets what the flight brings. */
  vouch(flight: Flight, repository: Repository, digest: Digest): void {
    const key = repositoryKey(repository);
    if (!flight.repositories.has(key)) this.#lend(flight, repository, digest);
    flight.repositories.set(key, 'proven');
  }

  #lend({ repositories, sources }: Flight, repository: Repository, digest: Digest): void {
    const key = repositoryKey(repository);
    repositories.set(key, 'being asked');
    const told = (has: boolean) => (has ? repositories.set(key, 'proven') : repositories.delete(key));
    sources.add(this.#parts.inquiry.source(repository, digest, told));
  }

  async #begin(
    repository: Repository,
    digest: Digest,
    sources: Set<Source>,
    expected: number | undefined,
    ahead: boolean,
  ): Promise<Fill | undefined> {
    const { store, report, lanes } = this.#parts;
    // It may have come to rest between the look at the store and now.
    if ((await store.stat(digest)) !== undefined) return undefined;
    report({ kind: 'fill', repository, digest, ahead });
    return store.fill(digest, sources, expected, lanes(repository.registry));
  }

  /** Forgotten only once the blob is in the store, so that at every moment it is found in the one or the other. */
  async #follow(flight: Flight, repository: Repository, digest: Digest): Promise<void> {
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
      // An upstream that told no size: only now is it known.
      const size = await this.#parts.store.stat(digest);
      const isProven = flight.repositories.get(flight.starter) === 'proven';
      if (isProven) await this.#parts.inquiry.proven(repository, digest, size, true);
    } catch (error) {
      // Its readers were told, and the store has reported it.
      if (error instanceof NoRoom) this.#noRoom(digest, error);
      this.#parts.inquiry.leaveAlone(repository, digest, error);
      if (isDoubtful(error, began)) await this.#parts.inquiry.doubt(repository, digest);
    } finally {
      this.#running.delete(digest);
    }
  }
}

/** What the upstream told of the size was not found out to be right, be it that the store gave up. */
function isDoubtful(error: unknown, began: boolean): boolean {
  return began || !(error instanceof RegistryError) || error.status === 502;
}
