// Every blob at rest is read and hashed once in a while, slowly: disks do not tell what they have spoilt.
import type { Report } from '../../core/mirror/events.ts';
import type { Clock } from '../../core/mirror/ports.ts';
import type { Checked } from './book-tables.ts';
import type { Pace } from './inspection.ts';
import type { Ledger } from './ledger.ts';
import type { Shelf } from './shelf.ts';

/** Bytes a second. */
const slowest = 1e6;
const fastest = 32e6;
/** What finding and opening a blob costs, in bytes of reading. */
const each = 64 * 1024;
/** Milliseconds. */
const rest = 3_600_000;
const breath = 1000;

export interface ScrubParts {
  readonly ledger: Ledger;
  readonly shelf: Shelf;
  readonly clock: Clock;
  readonly report: Report;
  /** Milliseconds in which all of them have their turn; undefined: none has. */
  readonly every: () => number | undefined;
  /** The process has better things to do. */
  readonly busy: () => boolean;
  readonly signal: AbortSignal;
}

/** Ends when the signal says so, or when none has its turn any more; never rejects. Who was checked last, or stored, is remembered in the book. */
export async function scrub({ ledger, shelf, clock, report, every, busy, signal }: ScrubParts): Promise<void> {
  const pace: Pace = async (bytes, until) => {
    const rate = Math.min(fastest, Math.max(slowest, ledger.bytes / ((every() ?? Infinity) / 1000)));
    await clock.sleep((bytes / rate) * 1000, until);
    while (busy()) await clock.sleep(breath, until);
  };

  async function scrubNext(): Promise<void> {
    const next = await ledger.leastChecked();
    const wait = next === undefined ? rest : waitFor(next, every() ?? Infinity, clock.now());
    if (next === undefined || wait > 0) return clock.sleep(Math.min(wait, rest), signal);
    try {
      await pace(each, signal);
      await shelf.scrub(next.digest, pace, signal);
    } catch (error) {
      if (signal.aborted) return;
      report({ kind: 'trouble', where: 'store', doing: 'reading a blob through', error });
    }
    // Also if that failed, so that it does not keep the others from their turn. A book that fails would give us the same one.
    if (!(await ledger.checked(next.digest))) await clock.sleep(rest, signal);
  }

  while (!signal.aborted && every() !== undefined) {
    await scrubNext().catch((error: unknown) => {
      if (!signal.aborted) report({ kind: 'bug', error });
    });
  }
}

/** Milliseconds. One that was checked in what is now the future has been so by a clock that was wrong: nobody knows when. */
function waitFor({ checkedAt }: Checked, every: number, now: number): number {
  return checkedAt > now ? 0 : checkedAt + every - now;
}
