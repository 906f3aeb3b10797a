// Trouble with the cache is told once, not with every pull; again once in a while as long as it lasts; and when it is over.
import { diskFaultOf } from '../../core/mirror/disk-fault.ts';
import type { MirrorEvent, Outcome, Report } from '../../core/mirror/events.ts';
import type { Clock } from '../../core/mirror/ports.ts';

type Trouble = Extract<MirrorEvent, { kind: 'trouble' }>;
type Where = Trouble['where'];

/** Milliseconds between two events of one kind of trouble. */
const whileItLasts = 600_000;
/** The same after it was over: what comes and goes with every pull is not told with every pull. */
const afterwards = 60_000;

interface Kind {
  readonly where: Where;
  readonly reading: boolean;
  /** Of the disk. */
  readonly fault: string | undefined;
  /** It was told of, and that it is over was not. */
  lasts: boolean;
  /** Another one of the same fault lasts, and was told first. */
  known: boolean;
  quietUntil: number;
  untold: number;
}

/** What a blob that was found and sent proves to work. */
const reading: ReadonlySet<string> = new Set(['opening a blob', 'looking for a blob', 'reading a blob']);

/** Passes all events on but those of trouble that was told of already, and `recovered` where nothing was in trouble. */
export function toldOnce(tell: Report, clock: Pick<Clock, 'now'>): Report {
  /** By where, the cause, and whether it is trouble of reading: one cause, whatever it is that it hinders. */
  const kinds = new Map<string, Kind>();

  function failed(event: Trouble): void {
    const { where, doing, error } = event;
    const fault = diskFaultOf(error);
    const isReading = reading.has(doing);
    const key = `${where} ${isReading} ${fault ?? codeOf(error)}`;
    const now = clock.now();
    const unheard = { where, reading: isReading, fault, lasts: false, known: false, quietUntil: now, untold: 0 };
    const kind: Kind = kinds.get(key) ?? unheard;
    kinds.set(key, kind);
    kind.untold += 1;
    // The clock may have been set back.
    if (now < kind.quietUntil && kind.quietUntil <= now + whileItLasts) return;
    kind.lasts = true;
    kind.known = fault !== undefined && [...kinds.values()].some((other) => other !== kind && isToldFor(other, fault));
    kind.quietUntil = now + whileItLasts;
    tell({ ...event, times: kind.untold, ...(kind.known && { known: true }) });
    kind.untold = 0;
  }

  function works(where: Where, isProven: (kind: Kind) => boolean): void {
    const lasting = [...kinds.values()].filter((kind) => kind.lasts && kind.where === where);
    const over = lasting.filter(isProven);
    for (const kind of over) {
      kind.lasts = false;
      kind.quietUntil = clock.now() + afterwards;
    }
    if (over.length > 0 && over.length === lasting.length) tell({ kind: 'recovered', where });
  }

  return (event) => {
    if (event.kind === 'trouble') return failed(event);
    if (event.kind === 'recovered') return works(event.where, () => true);
    tell(event);
    if (kinds.size === 0) return;
    if (event.kind === 'stored') works('store', () => true);
    if (event.kind === 'served' && isHit(event.outcome) && event.whole) works('store', (kind) => kind.reading);
  };
}

function isHit(outcome: Outcome): boolean {
  return outcome === 'hit' || outcome === 'private-hit';
}

function isToldFor(kind: Kind, fault: string): boolean {
  return kind.fault === fault && kind.lasts && !kind.known;
}

/** SQLite's or the system's. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'none';
  const code: unknown = Reflect.get(error, 'errcode') ?? Reflect.get(error, 'code');
  return typeof code === 'string' || typeof code === 'number' ? String(code) : error.name;
}
