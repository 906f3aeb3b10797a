// The log: JSON lines, or readable ones on a terminal. No credential and no query of a URL gets into any.
import { pino } from 'pino';
import type { Report } from '../../core/mirror/events.ts';
import { factsOf, summary } from './error-facts.ts';
import { type LogLevel, lineOf } from './lines.ts';
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

export function createLog(level: LogLevel, destination: Destination): Log {
  const logger = pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: redact },
    },
    destination,
  );
  const at =
    (method: LogLevel): Say =>
    (message, { error, ...facts } = {}) => {
      logger[method](error === undefined ? facts : { ...facts, error: factsOf(error, true) }, message);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    report: (event) => {
      const line = lineOf(event);
      if (line !== undefined) logger[line.level](line.facts, line.message);
    },
    setLevel(next) {
      logger.level = next;
    },
  };
}

/** An error in one line, for people; without secrets, like the log. */
export function inOneLine(error: unknown): string {
  return redact(summary(error));
}
