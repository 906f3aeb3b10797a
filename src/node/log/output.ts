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

  begin();
  return {
    write(line) {
      if (lines !== undefined) lines.write(line);
      else if (takes(line)) begin();
    },
  };
}

/** Whether it takes a line again. What broke may have left half of one. */
function takes(line: string): boolean {
  const bytes = Buffer.from(`\n${line}`);
  try {
    return writeSync(standardOutput, bytes) === bytes.length;
  } catch {
    return false;
  }
}
