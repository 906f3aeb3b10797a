// Standard output for the log: what it does not take costs the lines, not the pulls, and it is written to again as soon as it can be.
import { writeSync } from 'node:fs';
import { pino } from 'pino';
import type { Destination } from './terminal.ts';

// Lines that wait for an output that takes none; beyond this they are dropped.
const mostWaiting = 4 * 2 ** 20;

const standardOutput = 1;

export function output(): Destination {
  let lines: ReturnType<typeof pino.destination> | undefined;

  function begin(): void {
    const begun = pino.destination({ dest: standardOutput, sync: false, maxLength: mostWaiting });
    lines = begun;
    begun.on('error', () => {
      // Let go of what waits: at the end of the process it would be tried for ever.
      begun.destroy();
      if (lines === begun) lines = undefined;
    });
  }

  /** Lines of this round of the event loop, which are written together: each write is a hop to another thread and back. */
  let round = '';
  function end(): void {
    const text = round;
    round = '';
    if (text === '') return;
    if (lines !== undefined) lines.write(text);
    else if (takes(text)) begin();
  }

  // Before pino's own, which brings out what it was given.
  process.on('exit', end);
  begin();
  return {
    write(line) {
      if (round === '') setImmediate(end);
      round += line;
    },
  };
}

/** Whether it takes lines again. What broke may have left half of one. */
function takes(text: string): boolean {
  const bytes = Buffer.from(`\n${text}`);
  try {
    return writeSync(standardOutput, bytes) === bytes.length;
  } catch {
    return false;
  }
}
