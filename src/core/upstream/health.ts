// Which endpoints did not answer lately, or limit us: they are asked last, so that a dead one costs its timeout once and not at every pull.
import type { Clock } from '../mirror/ports.ts';
import type { Bounded } from './bounded.ts';

const setAsideFor = 30_000;
const longestAside = 600_000;

/** Milliseconds since 1970. */
export interface Aside {
  readonly from: number;
  readonly until: number;
}

export class Health {
  readonly #clock: Clock;
  readonly #aside: Bounded<Aside>;

  constructor(clock: Clock, aside: Bounded<Aside>) {
    this.#clock = clock;
    this.#aside = aside;
  }

  /** `asked`: milliseconds for which it wants to be left alone, if it said so. */
  missed(endpoint: string, asked = 0): void {
    const from = this.#clock.now();
    const wait = Math.min(longestAside, Math.max(setAsideFor, asked));
    this.#aside.set(endpoint, { from, until: from + wait });
  }

  /** As they are configured, but for those that are set aside. */
  inOrder(endpoints: readonly string[]): readonly string[] {
    if (endpoints.length === 1) return endpoints;
    const aside = endpoints.filter((endpoint) => this.#isAside(endpoint));
    return [...endpoints.filter((endpoint) => !aside.includes(endpoint)), ...aside];
  }

  #isAside(endpoint: string): boolean {
    const aside = this.#aside.get(endpoint);
    const now = this.#clock.now();
    return aside !== undefined && aside.from <= now && now < aside.until;
  }
}
