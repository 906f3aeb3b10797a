// What registries allow us, as people and their monitoring are told of it.
import { hideSecrets } from '../core/oci/redact.ts';
import type { Upstreams } from '../core/upstream/registry.ts';
import type { Instruments } from './instruments.ts';

export interface ShownBudget {
  readonly registry: string;
  readonly endpoint: string;
  /** The user name of the account that is asked with; undefined: nobody's. */
  readonly account: string | undefined;
  /** Of that account in the configuration, from 1 on. */
  readonly place: number | undefined;
  readonly limit: number;
  readonly remaining: number;
  /** Seconds in which all of it renews. */
  readonly window: number;
  /** Whom the registry counts, if it says so. */
  readonly source: string | undefined;
  /** When it told so, and when all of it is there again if nobody asks; milliseconds since 1970. */
  readonly asOf: number;
  readonly renewed: number;
  /** Until then it is not asked with for what counts; undefined: it is asked with. */
  readonly restsUntil: number | undefined;
}

export function shownBudgets(known: ReturnType<Upstreams['budgets']>, now: number): readonly ShownBudget[] {
  return known.map(({ payer: { registry, endpoint, credentials }, told, asOf, until }) => {
    const place = registry.credentials?.findIndex(({ username }) => username === credentials?.username) ?? -1;
    return {
      registry: registry.name,
      endpoint: hideSecrets(new URL(endpoint).origin),
      account: credentials?.username,
      place: place < 0 ? undefined : place + 1,
      limit: told.limit,
      remaining: told.remaining,
      window: told.window / 1000,
      source: told.source,
      asOf,
      renewed: asOf + told.window,
      restsUntil: until > now ? until : undefined,
    };
  });
}

/** As status.json has it: times are text (ISO 8601). */
export interface ToldBudget {
  readonly registry: string;
  readonly endpoint: string;
  /** A user name, or `anonymous`. */
  readonly account: string;
  readonly limit: number;
  readonly remaining: number;
  readonly window: number;
  readonly source: string | undefined;
  readonly asOf: string;
  readonly renewed: string;
  readonly restsUntil: string | undefined;
}

export function toldBudget(shown: ShownBudget): ToldBudget {
  const { registry, endpoint, account = 'anonymous', limit, remaining, window, source } = shown;
  return {
    registry,
    endpoint,
    account,
    limit,
    remaining,
    window,
    source,
    asOf: timeOf(shown.asOf),
    renewed: timeOf(shown.renewed),
    restsUntil: shown.restsUntil === undefined ? undefined : timeOf(shown.restsUntil),
  };
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

/** Below a wildcard there may be several of one label: then the least counts. */
export function addBudgets(
  make: Instruments,
  label: (registry: string) => string,
  budgets: () => readonly ShownBudget[],
): void {
  const labels = ['registry', 'credential'] as const;
  const values = (of: (budget: ShownBudget) => number) => () => {
    const least = budgets().toSorted((one, other) => other.remaining - one.remaining);
    return least.map(
      (each) => [{ registry: label(each.registry), credential: credentialLabel(each) }, of(each)] as const,
    );
  };
  const limit = 'Requests that a registry allows in a window of time, as it has told; most count GETs of manifests.';
  make.family(
    'sampan_upstream_budget_limit',
    limit,
    labels,
    values((each) => each.limit),
  );
  const left = 'Of those, requests that were left when it last told.';
  make.family(
    'sampan_upstream_budget_remaining',
    left,
    labels,
    values((each) => each.remaining),
  );
  const renewed = 'When all of them will be left again if nobody asks, in seconds since 1970.';
  make.family(
    'sampan_upstream_budget_renewed_timestamp_seconds',
    renewed,
    labels,
    values((each) => each.renewed / 1000),
  );
}

/** By its place in the configuration, from 1 on: a user name is nothing for a label. */
function credentialLabel({ place }: ShownBudget): string {
  return place === undefined ? 'anonymous' : String(place);
}
