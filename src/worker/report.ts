// What goes into the Worker's log: trouble, and who limits us. Everything else would cost time that a request has not.
import type { Tell } from '../core/edge/sentry.ts';
import type { Report } from '../core/mirror/events.ts';
import { redact } from '../core/oci/redact.ts';
import type { Later } from './edge-cache.ts';
import { askedBy } from './sentry.ts';

export const report: Report = (event) => {
  if (event.kind === 'bug') write('error', `bug: ${stackOf(event.error)}`);
  if (event.kind === 'trouble') write('warn', `what is kept at the edge (${event.doing}): ${String(event.error)}`);
  if (event.kind !== 'asked') return;
  const { host, what, status, error } = event;
  if (status === 429) write('warn', `${host} limits us (429, ${what})`);
  if (status === undefined) write('warn', `${host} did not answer: ${String(error)}`);
};

/** The same for one request, of whose bugs Sentry is told, if there is one. */
export function reportOf(request: Request, tell: Tell | undefined, later: Later): Report {
  if (tell === undefined) return report;
  return (event) => {
    report(event);
    if (event.kind === 'bug') later(tell({ error: event.error, handled: true, asked: askedBy(request) }));
  };
}

/** One line, without secrets. */
export function write(level: 'warn' | 'error', text: string): void {
  // oxlint-disable-next-line no-console -- this is where a Worker's log is
  console[level](redact(text).replaceAll('\n', ' '));
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
