// Tells Sentry of errors, over workerd's fetch.
import type { AskedWith, Teller } from '../core/edge/event.ts';
import { createSentry, type SentrySettings, type Tell } from '../core/edge/sentry.ts';
import { createFetch } from './fetch.ts';
import { version } from './version.ts';

/** Without settings nobody is told. */
export function openSentry(settings: SentrySettings | undefined, face: Teller['face']): Tell | undefined {
  if (settings === undefined) return undefined;
  return createSentry(settings, {
    teller: { face, version },
    // Anew for each: the steps of a request are its own.
    fetch: (request) => createFetch()(request),
    now: () => Date.now(),
    random: Math.random,
    deadline: (ms) => AbortSignal.timeout(ms),
  });
}

export function askedBy({ method, url, headers }: Request): AskedWith {
  return { method, url, header: (name) => headers.get(name) ?? undefined };
}
