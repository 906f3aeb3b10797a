// How long what we hold may be served without asking, and for how long if asking does not work.
import { type RegistryError, Spent } from '../oci/errors.ts';
import type { Allowance, Pointer } from './ports.ts';

/** Milliseconds, for one registry. */
export interface Freshness {
  /** A tag that was looked at less than this ago is served without a look upstream. */
  readonly freshFor: number;
  /** While the upstream cannot answer, tags and public verdicts stay good for this long after the last look. */
  readonly staleFor: number;
}

/** A tag that the upstream does not have is not asked for again for this long. */
export const missingFor = 10_000;
/** After an upstream could not answer, what is held is served for this long before it is asked again. */
const restFor = 30_000;
/** An upstream that answered this lately is taken to be there: no longer than the steps of one pull are apart. */
export const reachedFor = 5000;
/** A verdict holds for fifteen minutes; to write it down anew once a minute is enough. */
export const judgedFor = 60_000;
/** An upstream that limits us is not asked for anything for this long: containerd repeats five times at once. */
export const refusedFor = 3000;
/** The same for one blob, if it said for how long: it may be one of several endpoints that did. */
export const longestRefused = 60_000;
/** A registry without the referrers endpoint is not asked for it again for this long. */
export const lacksReferrersFor = 600_000;
/** A blob that was to be laid on a shelf is not brought there again for this long: that takes a while, or cannot be done. */
export const laidByFor = 60_000;
/** A repository that only our credentials open is not tried without them for this long: each try is a token in vain. */
export const closedFor = 60_000;
/** What an upstream has said to somebody opens it to him for this long: revoked rights end at the latest then. */
export const decidedFor = 60_000;
/** The longest that an upstream's `Retry-After` is honoured. */
const longestRest = 600_000;

/** Of what we may fetch, so much may be gone before tags are believed for longer. */
const plenty = 0.5;
/** So many times as long, when nothing is left: that is a quarter of an hour at the most, as long as a verdict, if nobody says otherwise. */
const mostStretch = 15;

/** The less a registry lets us fetch, the longer its tags are believed: never beyond the time in which all of that renews. */
export function stretched(freshness: Freshness, allowance: Allowance | undefined): Freshness {
  if (allowance === undefined || allowance.share >= plenty) return freshness;
  const { freshFor, staleFor } = freshness;
  const want = 1 - allowance.share / plenty;
  const longer = Math.min(freshFor * (1 + (mostStretch - 1) * want ** 2), allowance.window, staleFor);
  return { freshFor: Math.max(freshFor, longer), staleFor };
}

export function isFresh(pointer: Pointer, now: number, freshness: Freshness): boolean {
  return isWithin(now - pointer.checkedAt, freshness.freshFor);
}

export function mayBeStale(pointer: Pointer, now: number, freshness: Freshness): boolean {
  return isWithin(now - pointer.checkedAt, freshness.staleFor);
}

/** What was looked at in the future was looked at when the clock was wrong, and says nothing. */
function isWithin(age: number, most: number): boolean {
  return age >= 0 && age < most;
}

/** How long an upstream that failed so is left alone. Who told what we have left needs no rest for that: to look may be free. */
export function restAfter(error: RegistryError): number {
  if (error instanceof Spent) return restFor;
  return Math.min(longestRest, Math.max(restFor, error.retryAfter));
}
