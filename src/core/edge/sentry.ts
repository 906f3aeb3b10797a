// Tells Sentry of errors, by its envelope protocol: https://develop.sentry.dev/sdk/data-model/envelopes/
import { type Fetch, header } from '../upstream/fetch.ts';
import type { Dsn } from './dsn.ts';
import { eventOf, type Happening, type SentryEvent, type Teller } from './event.ts';
import { Quota } from './quota.ts';

export interface SentrySettings {
  readonly dsn: Dsn;
  readonly environment: string;
  /** Of all errors, from 0, nothing, to 1, everything. */
  readonly sampleRate: number;
}

export interface SentryParts {
  readonly teller: Teller;
  readonly fetch: Fetch;
  readonly now: () => number;
  readonly random: () => number;
  /** Aborts after so many milliseconds. */
  readonly deadline: (ms: number) => AbortSignal;
}

/** Resolves when Sentry has answered, or will not. Never rejects: a Sentry that is down costs the event, and nobody anything else. */
export type Tell = (happening: Happening) => Promise<void>;

/** What Sentry has not taken by then is lost. */
const within = 3000;

/** Between two calls it remembers values only, so that the requests of an isolate may share it. */
export function createSentry({ dsn, environment, sampleRate }: SentrySettings, parts: SentryParts): Tell {
  const { teller, now, random, deadline } = parts;
  const quota = new Quota(sampleRate, now, random);

  async function send(happening: Happening, leftOut: number): Promise<void> {
    const event = eventOf(happening, { ...teller, environment }, createId(random), now(), leftOut);
    const answer = await parts.fetch({
      method: 'POST',
      url: dsn.envelopes,
      headers: {
        'content-type': 'application/x-sentry-envelope',
        'x-sentry-auth': `Sentry sentry_version=7, sentry_client=sampan/${teller.version}, sentry_key=${dsn.key}`,
        'user-agent': `sampan/${teller.version}`,
      },
      body: envelopeOf(event, now()),
      signal: deadline(within),
      trust: 'configured',
    });
    answer.cancel();
    quota.heed(answer.status, header(answer.headers, 'x-sentry-rate-limits'), header(answer.headers, 'retry-after'));
    if (answer.status !== 200) quota.lose(leftOut + 1);
  }

  return async (happening) => {
    const leftOut = quota.take();
    if (leftOut === undefined) return;
    try {
      await send(happening, leftOut);
    } catch {
      quota.lose(leftOut + 1);
    }
  };
}

/** 32 hexadecimal digits. Nobody is to be kept from guessing it. */
function createId(random: () => number): string {
  return Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join('');
}

/** Three lines: about the envelope, about its one item, and that. */
function envelopeOf(event: SentryEvent, now: number): string {
  const item = JSON.stringify(event);
  const about = { event_id: event.event_id, sent_at: new Date(now).toISOString() };
  const aboutItem = { type: 'event', length: new TextEncoder().encode(item).length, content_type: 'application/json' };
  return `${JSON.stringify(about)}\n${JSON.stringify(aboutItem)}\n${item}\n`;
}
