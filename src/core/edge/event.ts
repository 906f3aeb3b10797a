// What Sentry is told of an error: what was thrown, from where and why, and of the request what is nobody's secret.
import type { Asked } from '../oci/asked.ts';
import { clean } from './clean.ts';
import { framesOf } from './stack.ts';

/** A request, as far as it is known. Its query is left out, and of its headers what is not listed here. */
export interface AskedWith extends Asked {
  readonly header?: (name: string) => string | undefined;
}

export interface Happening {
  readonly error: unknown;
  /** False: it ended what was going on, and nobody made an answer of it. */
  readonly handled: boolean;
  /** What was asked for when it happened, if that is known. */
  readonly asked?: AskedWith | undefined;
}

/** Who tells, and where that runs. */
export interface Teller {
  readonly face: 'guard' | 'worker' | 'mirror';
  readonly version: string;
}

/** An event as Sentry's documentation has it: https://develop.sentry.dev/sdk/data-model/event-payloads/ */
export type SentryEvent = Readonly<Record<string, unknown>> & { readonly event_id: string };

/** Nothing that names a person, gives anybody access or tells where a client comes from. */
const tellableHeaders = ['accept', 'cf-ray', 'content-length', 'content-type', 'range', 'user-agent'];
const deepestCause = 5;

/** `leftOut`: how many were not told of before this one. */
export function eventOf(
  happening: Happening,
  teller: Teller & { readonly environment: string },
  id: string,
  now: number,
  leftOut: number,
): SentryEvent {
  const { error, handled, asked } = happening;
  const { face, version, environment } = teller;
  return {
    event_id: id,
    timestamp: now / 1000,
    platform: 'javascript',
    level: 'error',
    release: `sampan@${version}`,
    environment,
    tags: { face },
    exception: { values: exceptionsOf(error, { type: face, handled }) },
    ...(asked && { request: requestOf(asked) }),
    ...(leftOut > 0 && { extra: { left_out: leftOut } }),
  };
}

/** The root of all causes first, as Sentry wants it. */
function exceptionsOf(error: unknown, mechanism: object): readonly object[] {
  const found: object[] = [];
  let each: unknown = error;
  do {
    found.push({ ...exceptionOf(each), mechanism });
    each = each instanceof Error ? each.cause : undefined;
  } while (each !== undefined && found.length <= deepestCause);
  return found.toReversed();
}

function exceptionOf(error: unknown): object {
  if (!(error instanceof Error)) {
    return { type: 'Error', value: typeof error === 'string' ? clean(error) : `not an error: ${typeof error}` };
  }
  const frames = framesOf(error);
  // Sentry takes no stack trace without frames.
  return {
    type: textOf(error.name, 'Error'),
    value: textOf(error.message, 'without words'),
    ...(frames.length > 0 && { stacktrace: { frames } }),
  };
}

/** What a program has thrown may have anything in the place of text. */
function textOf(found: unknown, otherwise: string): string {
  return typeof found === 'string' ? clean(found) : otherwise;
}

function requestOf({ method, url, header }: AskedWith): object {
  const headers = tellableHeaders.flatMap((name) => {
    const value = header?.(name);
    return value === undefined ? [] : [[name, clean(value)]];
  });
  return { method, url: clean(url.replace(/[?#].*$/s, '')), headers: Object.fromEntries(headers) };
}
