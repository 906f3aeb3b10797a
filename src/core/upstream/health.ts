// Who is asked first. An endpoint that does not answer is asked last for a while, so that a dead one costs its timeout once and
// not at every pull; so is one that limits us, or that sent what its digest says is wrong.
import type { Report } from '../mirror/events.ts';
import type { Clock } from '../mirror/ports.ts';
import type { Digest } from '../oci/digest.ts';
import type { Bounded } from '../oci/bounded.ts';

/** Milliseconds; twice as long each time that it fails again when it is over. */
const firstAside = 30_000;
const longestAside = 600_000;
/** Failures in a row after which it is worse than who is only suspected of having sent wrong bytes. */
const mostInARow = 3;

export interface Aside {
  readonly why: 'failed' | 'limited' | 'lied';
  readonly since: number;
  readonly ms: number;
  /** The last time that it failed. */
  readonly failedAt: number;
  /** How often it has failed since it last sent a body to its end. */
  readonly inARow: number;
}

/** What is remembered of endpoints. */
export interface HealthMemory {
  readonly aside: Bounded<Aside>;
  /** By digest, those of whom one has lied about it; who was blamed last comes last. */
  readonly suspects: Bounded<readonly string[]>;
  /** By endpoint, what it has surely lied about last. */
  readonly lies: Bounded<Digest>;
}

export interface Candidates {
  readonly endpoints: readonly string[];
  /** Third parties: they come after the endpoints. */
  readonly mirrors: readonly string[];
  /** Of what is asked for, if it has one. */
  readonly digest: Digest | undefined;
  /** Who has brought what is here of it already. */
  readonly current: string | undefined;
}

export class Health {
  readonly #clock: Clock;
  readonly #report: Report;
  readonly #aside: HealthMemory['aside'];
  readonly #suspects: HealthMemory['suspects'];
  readonly #lies: HealthMemory['lies'];

  constructor(clock: Clock, report: Report, { aside, suspects, lies }: HealthMemory) {
    this.#clock = clock;
    this.#report = report;
    this.#aside = aside;
    this.#suspects = suspects;
    this.#lies = lies;
  }

  /** It did not answer, or broke off. Several failures in a row are one until it is asked first again. */
  failed(endpoint: string): void {
    const last = this.#aside.get(endpoint);
    if (last !== undefined && this.#isAside(endpoint)) {
      this.#aside.set(endpoint, { ...last, failedAt: this.#clock.now(), inARow: last.inARow + 1 });
      return;
    }
    const ms = last?.why === 'failed' ? Math.min(longestAside, last.ms * 2) : firstAside;
    this.#setAside(endpoint, 'failed', ms);
    this.#report({ kind: 'aside', endpoint, digest: undefined, ms });
  }

  /** `asked`: milliseconds for which it wants to be left alone, if it said so. */
  limited(endpoint: string, asked: number): void {
    const ms = Math.min(longestAside, Math.max(firstAside, asked));
    const isAside = this.#isAside(endpoint);
    if (isAside && this.#aside.get(endpoint)?.why === 'lied') return;
    if (!isAside) this.#report({ kind: 'aside', endpoint, digest: undefined, ms });
    this.#setAside(endpoint, 'limited', ms);
  }

  /** It sent a body to its end. Whether it was the right one is another question. */
  sent(endpoint: string): void {
    if (this.#aside.get(endpoint)?.why === 'failed') this.#aside.delete(endpoint);
  }

  /**
   * What they brought together is not what its digest says, or they contradict each other. `surely`: it can be nobody else. One
   * digest does not count against an endpoint for all that it has: clients choose what is asked for, and blobs rot.
   */
  lied(endpoints: ReadonlySet<string>, digest: Digest, surely: boolean): void {
    const others = (this.#suspects.get(digest) ?? []).filter((endpoint) => !endpoints.has(endpoint));
    this.#suspects.set(digest, [...others, ...endpoints]);
    for (const endpoint of endpoints) {
      const again = surely && this.#liedElsewhere(endpoint, digest);
      if (again) this.#setAside(endpoint, 'lied', longestAside);
      this.#report({ kind: 'aside', endpoint, digest, ms: again ? longestAside : undefined });
    }
  }

  #liedElsewhere(endpoint: string, digest: Digest): boolean {
    const before = this.#lies.get(endpoint);
    this.#lies.set(endpoint, digest);
    return before !== undefined && before !== digest;
  }

  /**
   * As they are configured, but for those that are set aside: of them, who failed the longest ago comes first. Who is suspected of
   * having lied about this digest comes even after third parties, but before who breaks off again and again. As long as anybody is, one alone brings all of it, so that it
   * turns out who it was.
   */
  inOrder({ endpoints, mirrors, digest, current }: Candidates): readonly string[] {
    if (endpoints.length + mirrors.length === 1) return endpoints;
    const suspects = (digest === undefined ? undefined : this.#suspects.get(digest)) ?? [];
    const rank = (url: string): number => {
      const late = this.#isAside(url);
      const isLiar = digest !== undefined && this.#lies.get(url) === digest;
      if (suspects.length > 0 && url === current && !late && !isLiar) return -1;
      if (suspects.length > 0 && late && (this.#aside.get(url)?.inARow ?? 0) >= mostInARow) return Infinity;
      if (suspects.includes(url)) return 4 + suspects.indexOf(url);
      return (mirrors.includes(url) ? 2 : 0) + (late ? 1 : 0);
    };
    return [...endpoints, ...mirrors]
      .map((url) => ({ url, rank: rank(url), failedAt: this.#failedAt(url) }))
      .toSorted((one, other) => (one.rank === other.rank ? one.failedAt - other.failedAt : one.rank - other.rank))
      .map(({ url }) => url);
  }

  #isAside(endpoint: string): boolean {
    const aside = this.#aside.get(endpoint);
    if (aside === undefined) return false;
    const age = this.#clock.now() - aside.since;
    return age >= 0 && age < aside.ms;
  }

  #failedAt(endpoint: string): number {
    const aside = this.#isAside(endpoint) ? this.#aside.get(endpoint) : undefined;
    return aside?.failedAt ?? 0;
  }

  #setAside(endpoint: string, why: Aside['why'], ms: number): void {
    const now = this.#clock.now();
    const inARow = (this.#aside.get(endpoint)?.inARow ?? 0) + 1;
    this.#aside.set(endpoint, { why, since: now, ms, failedAt: now, inARow });
  }
}
