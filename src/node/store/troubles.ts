// Trouble with the cache is told once, not with every pull; again once in a while as long as it lasts; and when it is over.
import type { MirrorEvent, Report } from '../../core/mirror/events.ts';
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
  /** It was told of, and that it is over was not. */
  lasts: boolean;
  quietUntil: number;
  untold: number;
}

/** What a blob that was found and sent proves to work. */
const reading: ReadonlySet<string> = new Set(['open', 'stat', 'read']);

/** Passes all events on but those of trouble that was told of already, and `recovered` where nothing was in trouble. */
export function toldOnce(tell: Report, clock: Pick<Clock, 'now'>): Report {
  /** By where, the error's code, and whether it is trouble of reading: one cause, whatever it is that it hinders. */
  const kinds = new Map<string, Kind>();

  function failed(event: Trouble): void {
    const { where, doing, error } = event;
    const isReading = reading.has(doing);
    const key = `${where} ${isReading} ${codeOf(error)}`;
    const now = clock.now();
    const kind = kinds.get(key) ?? { where, reading: isReading, lasts: false, quietUntil: now, untold: 0 };
    kinds.set(key, kind);
    kind.untold += 1;
    // The clock may have been set back.
    if (now < kind.quietUntil && kind.quietUntil <= now + whileItLasts) return;
    kind.lasts = true;
    kind.quietUntil = now + whileItLasts;
    tell({ ...event, times: kind.untold });
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
    if (event.kind === 'served' && event.outcome === 'hit' && event.whole) works('store', (kind) => kind.reading);
  };
}

/** SQLite's or the system's. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'none';
  const code: unknown = Reflect.get(error, 'errcode') ?? Reflect.get(error, 'code');
  return typeof code === 'string' || typeof code === 'number' ? String(code) : error.name;
}
