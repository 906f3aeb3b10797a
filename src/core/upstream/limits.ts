// How much a registry lets one ask for: what it tells with its answers, and what is known of it beforehand.
import type { Headers } from '../mirror/reply.ts';
import { header } from './fetch.ts';

export interface Allowed {
  /** Requests that count, in one window; at least 1. */
  readonly limit: number;
  /** Milliseconds. */
  readonly window: number;
}

/** What is known of a registry beforehand; what its answers tell comes first. */
export interface Limits {
  /** To ask for the head of a manifest costs nothing. */
  readonly freeHeads?: boolean;
  readonly anonymous?: Allowed;
  /** Of an account that pays nothing. */
  readonly account?: Allowed;
}

export interface Told extends Allowed {
  /** At least 0, and not more than the limit. */
  readonly remaining: number;
  /** Whom the registry counts, if it says so: an address, or the number of an account. */
  readonly source: string | undefined;
}

/** Milliseconds; others use these headers for what renews each minute, and do not say so there. */
const usualWindow = 60_000;
const longestWindow = 86_400_000;

/** Docker Hub's headers. undefined where there are none, and for what makes no sense: who contradicts itself has told nothing. */
export function toldIn(headers: Headers): Told | undefined {
  const limit = quantity(headers['ratelimit-limit']);
  const remaining = quantity(headers['ratelimit-remaining']);
  if (limit === undefined || remaining === undefined || limit.count === 0 || remaining.count > limit.count) {
    return undefined;
  }
  const seconds = limit.seconds ?? remaining.seconds;
  if (seconds === 0 || (remaining.seconds ?? seconds) !== seconds) return undefined;
  const window = seconds === undefined ? usualWindow : Math.min(longestWindow, seconds * 1000);
  return { limit: limit.count, remaining: remaining.count, window, source: sourceIn(headers) };
}

/** It says nothing of a limit, right or wrong. */
export function tellsNothing(headers: Headers): boolean {
  return headers['ratelimit-limit'] === undefined && headers['ratelimit-remaining'] === undefined;
}

/** Whom the registry counts, if it says so in a form that can be passed on. */
export function sourceIn(headers: Headers): string | undefined {
  const told = header(headers, 'docker-ratelimit-source');
  return told !== undefined && told.length <= 64 && /^[\w.:/-]+$/.test(told) ? told : undefined;
}

/** `100;w=21600`. Told twice it is nothing: nobody knows which of them counts. */
function quantity(
  value: string | readonly string[] | undefined,
): { readonly count: number; readonly seconds: number | undefined } | undefined {
  if (typeof value !== 'string' || value.length > 64) return undefined;
  const [, count, seconds] = /^\s*(\d{1,9})\s*(?:;\s*w=(\d{1,9})\s*)?$/.exec(value) ?? [];
  if (count === undefined) return undefined;
  return { count: Number(count), seconds: seconds === undefined ? undefined : Number(seconds) };
}

/** Milliseconds in which one of them comes back, on the average: windows slide, and nobody says when which request was made. */
export function stepOf({ limit, window }: Allowed): number {
  return window / limit;
}
