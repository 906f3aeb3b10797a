// Where the next connection of a fill should begin, and where it should stop: a plan, without doing anything.
//
// One lane brings the blob in from its start. It gets company for two reasons: a reader waits for bytes that are far ahead of
// every lane, or lanes are slow and much is left. No byte belongs to two lanes: who begins within the way of another
// shortens that one's way to there.
import { type Interval, Intervals } from './intervals.ts';

/** How many connections a fill has at most, if nobody says. */
export const usualLanes = 4;

/** A connection that brings in the bytes from `at` up to `stop`. */
export interface Lane {
  readonly at: number;
  readonly stop: number;
  /** Bytes for each millisecond; undefined as long as that is not known. */
  readonly rate: number | undefined;
  /** It has just begun, or somebody follows it: it is not to make place. */
  readonly held?: boolean;
}

/** A reader who waits: the byte that he lacks, and where what he asked for ends (Infinity: he will see). */
export interface Want {
  readonly at: number;
  readonly end: number;
}

export interface Situation<L extends Lane = Lane> {
  /** Undefined: nobody knows. Then there is one lane, from the start. */
  readonly size: number | undefined;
  readonly here: Intervals;
  readonly lanes: readonly L[];
  readonly wants: Iterable<Want>;
  /** How many lanes there may be. */
  readonly most: number;
  /** False: it was tried and several lanes were hardly faster than one, or it is not the link that is slow. */
  readonly companyHelps: boolean;
}

export type Move<L extends Lane = Lane> =
  /** `from` may lie in the way of a lane, which then stops there. */
  | { readonly kind: 'start'; readonly from: number; readonly to: number; readonly why: 'wanted' | 'rest' | 'slow' }
  /** All are taken, and nobody waits for what this one brings: it makes place. */
  | { readonly kind: 'end'; readonly lane: L };

/** A lane that will be there within so many milliseconds is not overtaken: another needs as long for its first byte. */
const soon = 1000;
/** Bytes that a lane whose speed is not known yet is trusted to bring soon. */
const near = 1024 * 1024;
/** Bytes that are fetched along after a range: whoever reads in small pieces reads on there. */
const around = 1024 * 1024;
/** Bytes a millisecond (50 MB/s) beyond which all lanes together are fast: what then limits is not one connection. */
const fast = 50_000;
/** Milliseconds: what will be here sooner is not worth another connection, which costs several round trips before it brings anything. */
const long = 3000;
/** The most bytes that a lane is sent ahead with, so that readers in order do not have to wait for the end. */
const longestShare = 64 * 1024 * 1024;
/** So many times as fast as one, or company does not help. */
const leastGain = 1.25;

/** What to do next, or undefined. To be asked again after each move. */
export function nextMove<L extends Lane>(situation: Situation<L>): Move<L> | undefined {
  const { size, lanes, most } = situation;
  if (size === undefined) return lanes.length === 0 ? { kind: 'start', from: 0, to: Infinity, why: 'rest' } : undefined;
  if (situation.here.total >= size) return undefined;
  return forReaders(situation, size) ?? (lanes.length < most ? forTheRest(situation, size) : undefined);
}

/** A lane that is at this byte or will be there soon. */
export function servedBy<L extends Lane>(offset: number, lanes: Iterable<L>): L | undefined {
  for (const lane of lanes) {
    const ahead = offset - lane.at;
    if (ahead === 0 || (ahead > 0 && offset < lane.stop && ahead <= reach(lane))) return lane;
  }
  return undefined;
}

function reach({ rate }: Lane): number {
  return rate === undefined ? near : rate * soon;
}

/** All lanes together; undefined as long as none has been measured. */
export function rateOf(lanes: readonly Lane[]): number | undefined {
  const rates = lanes.map((lane) => lane.rate).filter((rate) => rate !== undefined);
  if (rates.length === 0) return undefined;
  return (rates.reduce((sum, rate) => sum + rate, 0) * lanes.length) / rates.length;
}

/** Whether several lanes are faster than one was; undefined as long as that cannot be told. */
export function helps(lanes: readonly Lane[], alone: number): boolean | undefined {
  if (lanes.length < 2 || lanes.some((lane) => lane.rate === undefined)) return undefined;
  return (rateOf(lanes) ?? 0) >= alone * leastGain;
}

function forReaders<L extends Lane>(situation: Situation<L>, size: number): Move<L> | undefined {
  const { here, lanes, wants, most } = situation;
  const busy = new Set<L>();
  let unserved: { readonly from: number; readonly end: number } | undefined;
  for (const want of wants) {
    const end = Math.min(want.end, size);
    const from = here.endAt(want.at);
    if (from >= end) continue;
    const lane = servedBy(from, lanes);
    if (lane !== undefined) busy.add(lane);
    else unserved ??= { from, end };
  }
  if (unserved === undefined) return undefined;
  if (lanes.length < most) {
    const { from, end } = unserved;
    return { kind: 'start', from, to: Math.min(end + around, wayFrom(from, situation, size)), why: 'wanted' };
  }
  const [idle] = lanes
    .filter((lane) => !busy.has(lane) && lane.held !== true)
    .toSorted((one, other) => other.at - one.at);
  return idle === undefined ? undefined : { kind: 'end', lane: idle };
}

/** How far a lane can go that begins there. */
function wayFrom(from: number, { here, lanes }: Situation, size: number): number {
  const starts = lanes.filter((lane) => lane.at > from).map((lane) => lane.at);
  const cut = lanes.filter((lane) => lane.at <= from && from < lane.stop).map((lane) => lane.stop);
  return Math.min(here.gapAt(from, size)?.end ?? size, ...starts, ...cut);
}

/** How far a lane can go beyond its stop, if its connection does. */
export function wayBeyond({ here, lanes }: Pick<Situation, 'here' | 'lanes'>, { stop }: Lane, size: number): number {
  const gap = here.gapAt(stop, size);
  if (gap?.start !== stop) return stop;
  return Math.min(gap.end, ...lanes.filter(({ at }) => at >= stop).map(({ at }) => at));
}

function forTheRest<L extends Lane>(situation: Situation<L>, size: number): Move<L> | undefined {
  const { lanes, most, companyHelps } = situation;
  const open = unassigned(situation, size);
  if (lanes.length === 0) return open && { kind: 'start', from: open.start, to: open.end, why: 'rest' };
  const rate = rateOf(lanes);
  if (rate === undefined || rate >= fast || !companyHelps) return undefined;
  const free = most - lanes.length;
  // What no lane has before it must be fetched by one sooner or later: better now.
  if (open !== undefined) {
    const to = Math.min(open.end, open.start + share(open.end - open.start, free));
    return { kind: 'start', from: open.start, to, why: 'slow' };
  }
  const [slowest] = lanes
    .filter((lane) => lane.rate !== undefined && timeLeft(lane) >= long)
    .toSorted((one, other) => timeLeft(other) - timeLeft(one));
  if (slowest === undefined) return undefined;
  const part = share(slowest.stop - slowest.at, free + 1);
  const from = slowest.at + part;
  return { kind: 'start', from, to: Math.min(slowest.stop, from + part), why: 'slow' };
}

function share(bytes: number, among: number): number {
  return Math.min(longestShare, Math.ceil(bytes / among));
}

function timeLeft({ at, stop, rate = 0 }: Lane): number {
  return (stop - at) / rate;
}

/** The first gap that is in no lane's way. */
function unassigned({ here, lanes }: Situation, size: number): Interval | undefined {
  const taken = new Intervals();
  for (const { start, end } of here) taken.add(start, end);
  for (const { at, stop } of lanes) taken.add(at, stop);
  return taken.gapAt(0, size);
}
