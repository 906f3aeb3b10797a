// Tells Sentry of bugs, and waits for what is on its way when the process ends.
import type { Happening } from '../core/edge/event.ts';
import { createSentry } from '../core/edge/sentry.ts';
import type { Report } from '../core/mirror/events.ts';
import { clock } from './clock.ts';
import type { Config } from './config/config.ts';
import { createOutbound } from './outbound.ts';
import { version } from './version.ts';

export interface SentryListener {
  /** Listens for bugs. */
  readonly report: Report;
  /** The process ends by this. */
  crashed(error: unknown): void;
  /** Resolves when nothing is on its way any more, at most after some seconds. */
  close(): Promise<void>;
}

/** Without settings nobody is told. */
export function openSentry({
  sentry,
  resolve,
  dns,
  via,
}: Pick<Config, 'sentry' | 'resolve' | 'dns' | 'via'>): SentryListener {
  if (sentry === undefined) return { report() {}, crashed() {}, close: async () => {} };
  const outbound = createOutbound({ resolve, dns, via, timeouts: {} }, clock);
  const tell = createSentry(sentry, {
    teller: { face: 'mirror', version },
    fetch: outbound.fetch,
    now: () => clock.now(),
    random: Math.random,
    deadline: (ms) => AbortSignal.timeout(ms),
  });
  const underWay = new Set<Promise<void>>();
  function send(happening: Happening): void {
    const told = tell(happening);
    underWay.add(told);
    void told.finally(() => underWay.delete(told));
  }
  return {
    report: (event) => {
      if (event.kind === 'bug') send({ error: event.error, handled: true, asked: event.asked });
    },
    crashed: (error) => send({ error, handled: false }),
    async close() {
      await Promise.all(underWay);
      await outbound.close();
    },
  };
}
