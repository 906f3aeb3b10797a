// What each account of ours, and nobody in particular, may still ask of an endpoint: learned from the endpoint's answers, so
// that whoever has most left is asked with first, and nobody is asked in vain.
import type { Asker } from '../access/caller.ts';
import type { Allowance, Clock } from '../mirror/ports.ts';
import type { Bounded } from '../oci/bounded.ts';
import { Spent } from '../oci/errors.ts';
import type { Repository } from '../oci/reference.ts';
import { retryAfter } from '../oci/retry-after.ts';
import { type UpstreamResponse, header } from './fetch.ts';
import { type Allowed, type Told, stepOf, tellsNothing, toldIn } from './limits.ts';
import type { Credentials, Registries, Registry } from './registries.ts';

/** In whose name an endpoint is asked; without credentials: in nobody's. */
export interface Payer {
  readonly registry: Registry;
  readonly endpoint: string;
  readonly credentials: Credentials | undefined;
}

/** What is known of one payer. */
export interface Budget {
  readonly payer: Payer;
  readonly told: Told | undefined;
  /** When that was; milliseconds since 1970. */
  readonly asOf: number;
  /** Until then it is not asked for what counts. */
  readonly until: number;
}

/** Bounded: clients choose hosts below a wildcard, and repositories. */
export interface BudgetMemory {
  readonly budgets: Bounded<Budget>;
  /** By payer and repository: what it may have without its being counted, as images whose publisher pays. */
  readonly uncounted: Bounded<true>;
  /** By payer: until when an account comes after all others, because it is not taken at all; milliseconds since 1970. */
  readonly refused: Bounded<number>;
}

/** Milliseconds; of who does not say how long it wants to be left alone. */
const usualAside = 3000;
const leastAside = 1000;
/** Then one request finds out. */
const longestAside = 900_000;
/** For the others, while that one does. */
const probeFor = 5000;
/** An account that is not taken: each try is a wrong login, and they are counted. */
const refusedFor = 300_000;

export class Budgets {
  readonly #clock: Clock;
  readonly #registries: Registries;
  readonly #memory: BudgetMemory;

  constructor(clock: Clock, registries: Registries, memory: BudgetMemory) {
    this.#clock = clock;
    this.#registries = registries;
    this.#memory = memory;
  }

  /** Who can ask an endpoint this, whoever has most left first. Who has told no limit is taken to have none; who is set aside comes last, and after him who is not taken. */
  inTurn(registry: Registry, endpoint: string, as: Asker): readonly Payer[] {
    const payers = payersOf(registry, endpoint, as);
    if (payers.length === 1) return payers;
    return payers
      .map((payer) => ({ payer, left: this.#left(payer) }))
      .toSorted((one, other) => (one.left === other.left ? 0 : other.left - one.left))
      .map(({ payer }) => payer);
  }

  /**
   * Why a manifest is not asked for in this name just now. `isFirst`: nobody better has just been limited. When something may be left
   * again, the first to come is let through to find out.
   */
  refusal(payer: Payer, name: string, method: string, isFirst: boolean): Spent | undefined {
    if (!counts(payer.registry, method)) return undefined;
    const spent = this.#spent(payer, name, isFirst);
    if (spent !== undefined) return spent;
    const budget = this.#memory.budgets.get(keyOf(payer));
    if (budget === undefined || this.#told(budget)?.remaining !== 0) return undefined;
    this.#note({ ...budget, until: this.#clock.now() + probeFor });
    return undefined;
  }

  /** It was not taken, wherever that would not have been its repository's doing. */
  refused(payer: Payer): void {
    if (payer.credentials !== undefined) this.#memory.refused.set(keyOf(payer), this.#clock.now() + refusedFor);
  }

  /** What the endpoint has answered to a question for a manifest, of that repository. */
  heard(payer: Payer, name: string, method: string, { status, headers }: UpstreamResponse): void {
    const now = this.#clock.now();
    const key = keyOf(payer);
    const before = this.#memory.budgets.get(key);
    if (status === 200) this.#memory.refused.delete(key);
    const told = toldIn(headers);
    const current = told ?? (before && this.#told(before));
    const asOf = told === undefined && current !== undefined ? (before?.asOf ?? now) : now;
    if (status === 429) {
      const asked = retryAfter(header(headers, 'retry-after'), now) ?? usualWait(payer, method, current);
      this.#note({ payer, told: current, asOf, until: now + clamped(asked) });
    } else if (told !== undefined) {
      this.#memory.uncounted.delete(`${key} ${name}`);
      this.#note({ payer, told, asOf, until: told.remaining === 0 ? now + clamped(stepOf(told)) : now });
    } else if (status === 200 && before !== undefined && tellsNothing(headers)) {
      if (current !== undefined) this.#memory.uncounted.set(`${key} ${name}`, true);
      else if (counts(payer.registry, method)) this.#memory.budgets.delete(key);
    }
  }

  /** Milliseconds, where that is more than a guess. */
  renewal(payer: Payer): number | undefined {
    const budget = this.#memory.budgets.get(keyOf(payer));
    const wait = budget === undefined ? 0 : this.#wait(budget);
    return wait > usualAside ? wait : undefined;
  }

  /** To look by a HEAD would take what is needed to fetch it then: it is to be looked at by fetching it. */
  isScarce({ registry: called }: Repository, as: Asker): boolean {
    const registry = this.#registries.find(called);
    const endpoint = registry?.endpoints[0];
    if (registry === undefined || endpoint === undefined) return false;
    if (as.authorization !== undefined || !counts(registry, 'HEAD')) return false;
    const [first] = this.inTurn(registry, endpoint, as);
    const budget = first && this.#memory.budgets.get(keyOf(first));
    const told = budget && this.#told(budget);
    return told !== undefined && told.remaining <= 1;
  }

  /** Of whoever has the largest share left at the endpoint that is asked first; undefined if anybody who is taken there has told no limit. */
  allowance(repository: Repository): Allowance | undefined {
    const registry = this.#registries.find(repository.registry);
    const endpoint = registry?.endpoints[0];
    if (registry === undefined || endpoint === undefined) return undefined;
    let best: Allowance | undefined;
    for (const payer of payersOf(registry, endpoint, forAnybody)) {
      if (this.#isRefused(payer)) continue;
      const budget = this.#memory.budgets.get(keyOf(payer));
      const told = budget && this.#told(budget);
      if (told === undefined) return undefined;
      const share = told.remaining / told.limit;
      if (best === undefined || share > best.share) best = { share, window: told.window };
    }
    return best;
  }

  /** Those that have told something that may still be so, or are set aside. */
  known(): readonly Budget[] {
    return [...this.#memory.budgets.values()].flatMap((budget) => {
      const told = this.#told(budget);
      return told === undefined && this.#wait(budget) === 0 ? [] : [{ ...budget, told }];
    });
  }

  /** Of who is set aside, less than nothing; of who is not taken, less than of anybody. */
  #left(payer: Payer): number {
    if (this.#isRefused(payer)) return -Infinity;
    const budget = this.#memory.budgets.get(keyOf(payer));
    if (budget === undefined) return Infinity;
    return -this.#wait(budget) || (this.#told(budget)?.remaining ?? Infinity);
  }

  #spent(payer: Payer, name: string, isFirst: boolean): Spent | undefined {
    const key = keyOf(payer);
    const budget = this.#memory.budgets.get(key);
    const wait = budget === undefined ? 0 : this.#wait(budget);
    if (budget === undefined || wait === 0) return undefined;
    const told = this.#told(budget);
    // A 429 for one repository need not be meant for all: only where it is known whom the registry counts.
    const isSure = told?.remaining === 0 || usualOf(payer) !== undefined;
    if (isFirst && !isSure) return undefined;
    const { uncounted } = this.#memory;
    const isFree = [key, keyOf(inNobodysName(payer))].some((each) => uncounted.get(`${each} ${name}`) === true);
    return isFree ? undefined : spentError(payer, told, wait);
  }

  #isRefused(payer: Payer): boolean {
    const left = (this.#memory.refused.get(keyOf(payer)) ?? 0) - this.#clock.now();
    return left > 0 && left <= refusedFor;
  }

  /** Milliseconds. A clock that was set back makes nobody wait for longer than ever. */
  #wait({ until }: Budget): number {
    const wait = until - this.#clock.now();
    return wait > 0 && wait <= longestAside ? wait : 0;
  }

  /** After a whole window nothing of it is true any more. */
  #told({ told, asOf }: Budget): Told | undefined {
    const age = this.#clock.now() - asOf;
    return told !== undefined && age >= 0 && age < told.window ? told : undefined;
  }

  #note(budget: Budget): void {
    this.#memory.budgets.set(keyOf(budget.payer), budget);
  }
}

const forAnybody: Asker = { ours: true, isPublic: true };

/** What is public may be asked for in nobody's name too; for the sake of the limits that comes last. */
function payersOf(registry: Registry, endpoint: string, { ours, isPublic }: Asker): readonly Payer[] {
  const credentials = ours === true ? (registry.credentials ?? []) : [];
  const named = credentials.map((each) => ({ registry, endpoint, credentials: each }));
  const nobody = { registry, endpoint, credentials: undefined };
  return named.length === 0 || isPublic === true ? [...named, nobody] : named;
}

function inNobodysName(payer: Payer): Payer {
  return { ...payer, credentials: undefined };
}

/** No endpoint has a space in it. */
function keyOf({ endpoint, credentials }: Payer): string {
  return credentials === undefined ? endpoint : `${endpoint} ${credentials.username}`;
}

function counts({ limits }: Registry, method: string): boolean {
  return method === 'GET' || limits?.freeHeads !== true;
}

/** Of the registry itself: third parties have limits of their own. */
function usualOf({ registry: { limits, endpoints }, endpoint, credentials }: Payer): Allowed | undefined {
  if (!endpoints.includes(endpoint)) return undefined;
  return credentials === undefined ? limits?.anonymous : limits?.account;
}

function usualWait(payer: Payer, method: string, told: Told | undefined): number {
  if (told !== undefined) return told.remaining === 0 ? stepOf(told) : usualAside;
  const usual = usualOf(payer);
  return usual !== undefined && counts(payer.registry, method) ? stepOf(usual) : usualAside;
}

function clamped(ms: number): number {
  return Math.min(longestAside, Math.max(leastAside, ms));
}

function spentError({ endpoint, credentials }: Payer, told: Told | undefined, wait: number): Spent {
  const { host } = new URL(endpoint);
  const whom = told?.source ?? (credentials === undefined ? "this mirror's address" : "this mirror's account");
  const much = told === undefined ? '' : `, ${told.limit} in ${told.window / 1000} s`;
  return new Spent(`nothing is left at ${host} for now: it counts the requests of ${whom}${much}`, {
    headers: { 'retry-after': String(Math.ceil(wait / 1000)) },
    detail: {
      limitedBy: host,
      source: whom,
      ...(told && { limit: told.limit, remaining: told.remaining, window: told.window / 1000 }),
    },
  });
}
