// Who guesses at logins, and for how long he hears of no further one whether it is wrong.
import { Bounded } from '../oci/bounded.ts';
import { RegistryError } from '../oci/errors.ts';
import { clientOf } from './address.ts';

interface Count {
  readonly failures: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

const mostFailures = 10;
const within = 60_000;
/** Whoever has so many addresses cannot be stopped by counting them. */
const mostCounted = 10_000;

/** At an account's secret, which is known here; at its password, which takes time to check; or at a registry's login, which only the registry knows. */
type Kind = 'account' | 'password' | 'relayed';

/** Plain values only: requests may share it on every runtime. */
export class Guesses {
  readonly #now: () => number;
  /** By kind and address. */
  readonly #counts = new Bounded<Count>(mostCounted);

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Throws TOOMANYREQUESTS. */
  check(kind: Kind, address: string): void {
    const count = this.#count(keyOf(kind, address));
    if (count === undefined || count.failures < mostFailures) return;
    const seconds = String(Math.max(1, Math.ceil((count.until - this.#now()) / 1000)));
    throw new RegistryError('TOOMANYREQUESTS', 'too many logins from your address have failed', {
      headers: { 'retry-after': seconds },
    });
  }

  failed(kind: Kind, address: string): void {
    const key = keyOf(kind, address);
    const failures = (this.#count(key)?.failures ?? 0) + 1;
    this.#counts.set(key, { failures, until: this.#now() + within });
  }

  #count(key: string): Count | undefined {
    const count = this.#counts.get(key);
    return count !== undefined && this.#now() < count.until ? count : undefined;
  }
}

function keyOf(kind: Kind, address: string): string {
  return `${kind} ${clientOf(address)}`;
}
