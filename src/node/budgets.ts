// What registries allow us, as people and their monitoring are told of it.
import { hideSecrets } from '../core/oci/redact.ts';
import type { Upstreams } from '../core/upstream/registry.ts';
import type { Instruments } from './instruments.ts';

interface ShownLimit {
  readonly limit: number;
  readonly remaining: number;
  /** Seconds in which all of it renews. */
  readonly window: number;
  /** Whom the registry counts, if it says so. */
  readonly source: string | undefined;
  /** When all of it is there again if nobody asks; milliseconds since 1970. */
  readonly renewed: number;
}

export interface ShownBudget {
  readonly registry: string;
  readonly endpoint: string;
  /** The user name of the account that is asked with; undefined: nobody's. */
  readonly account: string | undefined;
  /** Of that account in the configuration, from 1 on. */
  readonly place: number | undefined;
  /** undefined: it has told none, but limits us. */
  readonly told: ShownLimit | undefined;
  /** When it told so; milliseconds since 1970. */
  readonly asOf: number;
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
      told: told && { ...told, window: told.window / 1000, renewed: asOf + told.window },
      asOf,
      restsUntil: until > now ? until : undefined,
    };
  });
}

/** As status.json has it: times are text (ISO 8601). Of who has told no limit, only since when and until when it limits us. */
export interface ToldBudget extends Partial<Omit<ShownLimit, 'renewed'>> {
  readonly registry: string;
  readonly endpoint: string;
  /** A user name, or `anonymous`. */
  readonly account: string;
  readonly asOf: string;
  readonly renewed?: string;
  readonly restsUntil: string | undefined;
}

export function toldBudget({
  registry,
  endpoint,
  account = 'anonymous',
  told,
  asOf,
  restsUntil,
}: ShownBudget): ToldBudget {
  return {
    registry,
    endpoint,
    account,
    ...(told && { ...told, renewed: timeOf(told.renewed) }),
    asOf: timeOf(asOf),
    restsUntil: restsUntil === undefined ? undefined : timeOf(restsUntil),
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
  const values = (of: (told: ShownLimit) => number) => () => {
    const told = budgets().flatMap((each) => (each.told === undefined ? [] : [{ ...each, told: each.told }]));
    const least = told.toSorted((one, other) => other.told.remaining - one.told.remaining);
    return least.map(
      (each) => [{ registry: label(each.registry), credential: credentialLabel(each) }, of(each.told)] as const,
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
