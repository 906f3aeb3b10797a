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
  /** By the same: how many are being checked. Each may turn out wrong. */
  readonly #running = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Throws TOOMANYREQUESTS. */
  check(kind: Kind, address: string): void {
    const count = this.#count(keyOf(kind, address));
    if (count === undefined || count.failures < mostFailures) return;
    throw tooMany('have failed', count.until - this.#now());
  }

  /** Before what takes time: so many at once must not be more than one after the other. Throws TOOMANYREQUESTS. Call what it returns when it is over. */
  begin(kind: Kind, address: string): (failed: boolean) => void {
    this.check(kind, address);
    const key = keyOf(kind, address);
    const running = this.#running.get(key) ?? 0;
    if ((this.#count(key)?.failures ?? 0) + running >= mostFailures) throw tooMany('are being checked', 0);
    this.#running.set(key, running + 1);
    return (failed) => {
      const others = (this.#running.get(key) ?? 1) - 1;
      if (others === 0) this.#running.delete(key);
      else this.#running.set(key, others);
      if (failed) this.failed(kind, address);
    };
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

/** `wait`: milliseconds. */
function tooMany(what: string, wait: number): RegistryError {
  return new RegistryError('TOOMANYREQUESTS', `too many logins from your address ${what}`, {
    headers: { 'retry-after': String(Math.max(1, Math.ceil(wait / 1000))) },
  });
}

function keyOf(kind: Kind, address: string): string {
  return `${kind} ${clientOf(address)}`;
}
