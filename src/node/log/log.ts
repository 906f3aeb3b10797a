// The log: JSON lines, or readable ones on a terminal. No credential and no query of a URL gets into any.
import type { Report } from '../../core/mirror/events.ts';
import { factsOf, summary } from './error-facts.ts';
import { type Line, type LogLevel, lineOf } from './lines.ts';
import { redact } from '../../core/oci/redact.ts';
import { output } from './output.ts';
import type { Destination } from './terminal.ts';

/** A fact called `error` is told with its code, its causes and where it came from. */
type Say = (message: string, facts?: Readonly<Record<string, unknown>>) => void;

export interface Log {
  readonly debug: Say;
  readonly info: Say;
  readonly warn: Say;
  readonly error: Say;
  readonly report: Report;
  /** From now on. */
  setLevel(level: LogLevel): void;
}

/** Writes to standard output. */
export async function openLog(level: LogLevel): Promise<Log> {
  if (!process.stdout.isTTY) return createLog(level, output());
  // One that is closed costs the lines, not the process.
  process.stdout.on('error', () => {});
  const { terminal } = await import('./terminal.ts');
  return createLog(level, terminal(process.stdout, process.stdout.hasColors()));
}

/** Least first. */
const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

export function createLog(level: LogLevel, destination: Destination): Log {
  let least = levels.indexOf(level);
  const timestamp = timestamps();

  /** At each request, so in one go by the runtime’s own JSON. */
  function write({ level: at, message, facts }: Line): void {
    if (levels.indexOf(at) < least) return;
    destination.write(`${redact(JSON.stringify({ level: at, time: timestamp(), ...facts, msg: message }))}\n`);
  }

  const at =
    (its: LogLevel): Say =>
    (message, { error, ...facts } = {}) => {
      write({ level: its, message, facts: error === undefined ? facts : { ...facts, error: factsOf(error, true) } });
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    report: (event) => {
      const line = lineOf(event);
      if (line !== undefined) write(line);
    },
    setLevel(next) {
      least = levels.indexOf(next);
    },
  };
}

/** Made once a millisecond: many lines have the same. */
function timestamps(): () => string {
  let at = Number.NaN;
  let told = '';
  return () => {
    const now = Date.now();
    if (now !== at) told = new Date(now).toISOString();
    at = now;
    return told;
  };
}

/** An error in one line, for people; without secrets, like the log. */
export function inOneLine(error: unknown): string {
  return redact(summary(error));
}
