// Which endpoints did not answer lately: they are asked last, so that a dead one costs its timeout once and not at every pull.
import type { Clock } from '../mirror/ports.ts';
import { Bounded } from './bounded.ts';

const setAsideFor = 30_000;
// Clients choose hosts below a wildcard, so even endpoints are not a closed list.
const most = 256;

export class Health {
  readonly #clock: Clock;
  readonly #missed = new Bounded<number>(most);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  missed(endpoint: string): void {
    this.#missed.set(endpoint, this.#clock.now());
  }

  /** As they are configured, but for those that are set aside. */
  inOrder(endpoints: readonly string[]): readonly string[] {
    if (endpoints.length === 1) return endpoints;
    const aside = endpoints.filter((endpoint) => this.#isAside(endpoint));
    return [...endpoints.filter((endpoint) => !aside.includes(endpoint)), ...aside];
  }

  #isAside(endpoint: string): boolean {
    const age = this.#clock.now() - (this.#missed.get(endpoint) ?? -Infinity);
    return age >= 0 && age < setAsideFor;
  }
}
