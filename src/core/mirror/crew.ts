// The lanes of a fill at work: begins them where the plan says, and goes on until all is here.
import { RegistryError } from '../oci/errors.ts';
import type { Intervals } from './intervals.ts';
import { type Want, helps, nextMove, rateOf, servedBy, wayBeyond } from './lanes.ts';
import { type Clock, type Incoming, NoRoom, letGo } from './ports.ts';
import { resumed } from './resume.ts';
import { RunningLane, type Write } from './running-lane.ts';
import type { Sources } from './sources.ts';
import { wrong } from './wrong.ts';

export interface CrewParts {
  /** Bytes of the whole blob, if they are known. */
  readonly size: number | undefined;
  /** What is here; grows by `write`. */
  readonly here: Intervals;
  /** Of the readers who wait just now. */
  readonly wants: () => Iterable<Want>;
  readonly write: Write;
  readonly sources: Sources;
  /** How many lanes there may be at once. */
  readonly most: number;
  /** Whether it is us that are slow just now: then further lanes would bring nothing sooner. */
  readonly busy: () => boolean;
  readonly clock: Clock;
  /** Stops it. The sources end their streams then. */
  readonly signal: AbortSignal;
}

/** Milliseconds between two looks at how fast the lanes are. */
const lookEvery = 500;
/** Milliseconds after which an upstream that refused a further connection is asked for one again: it may have been down. */
const refusedFor = 30_000;

export class Crew {
  readonly #parts: CrewParts;
  readonly #lanes = new Map<RunningLane, Promise<void>>();
  readonly #over = Promise.withResolvers<void>();
  #most: number;
  #refusedAt = -Infinity;
  #lookedAt: number;
  /** How fast it was before it got company, if it got any. */
  #alone: number | undefined;
  /** Undefined as long as that has not been seen. */
  #companyHelps: boolean | undefined;

  constructor(parts: CrewParts) {
    this.#parts = parts;
    this.#most = parts.most;
    this.#lookedAt = parts.clock.now();
  }

  /** Brings in the whole blob, beginning with what is open already and was asked to end at `end`. */
  async bringIn(first: Incoming, end: number | undefined): Promise<void> {
    const { size = Infinity, clock } = this.#parts;
    // Who ignores ranges brings more than it was asked for.
    const stop = Math.min(Math.max(end ?? size, first.end ?? 0), size);
    this.#begin(new RunningLane(first.offset, stop, stop, clock), first);
    await this.#over.promise;
  }

  /** Brings in what is missing, with nothing open. */
  async bringInRest(): Promise<void> {
    this.#goOn();
    await this.#over.promise;
  }

  /** Resolves when nothing more is written. */
  async stopped(): Promise<void> {
    await Promise.all(this.#lanes.values());
  }

  /** A reader begins to wait. */
  wanted({ at }: Want): void {
    const lane = servedBy(at, this.#lanes.keys());
    if (lane === undefined) this.#look();
    else lane.follow();
  }

  /** Moves, as long as there is something to do. */
  #look(): void {
    const { size, here, sources, wants, busy, clock, signal } = this.#parts;
    this.#lookedAt = clock.now();
    this.#judge();
    if (this.#lookedAt - this.#refusedAt >= refusedFor) this.#most = this.#parts.most;
    const companyHelps = this.#companyHelps !== false && !busy();
    // Of what nobody knows the size of, the first lane brings all.
    if (size === undefined) return;
    if (!sources.ranges) {
      this.#goThrough(size);
      return;
    }
    const most = this.#most;
    while (!signal.aborted) {
      const lanes = [...this.#lanes.keys()];
      // Who gives us fewer connections than we wanted may not give another one for the one that we let go of.
      const none = most < this.#parts.most && lanes.length >= most;
      const move = nextMove({ size, here, lanes, wants: none ? [] : wants(), most, companyHelps });
      if (move === undefined) return;
      if (move.kind === 'end') {
        // Its place is free when it is over; until then nobody else is sent away.
        if (!lanes.some((lane) => lane.left)) move.lane.leave();
        return;
      }
      const shortened = lanes.find(({ at, stop }) => at <= move.from && move.from < stop);
      if (shortened !== undefined && !shortened.stopAt(move.from)) return;
      if (move.why === 'slow') this.#alone ??= rateOf(lanes);
      this.#begin(new RunningLane(move.from, move.to, move.to, clock));
    }
  }

  /** Nobody gives a part of it: one connection brings all that is missing. */
  #goThrough(size: number): void {
    const { here, clock, signal } = this.#parts;
    const missing = here.gapsBelow(size);
    if (missing === undefined || this.#lanes.size > 0 || signal.aborted) return;
    this.#begin(new RunningLane(missing.start, missing.end, size, clock));
  }

  /** Once: whether several connections bring more than one did. */
  #judge(): void {
    if (this.#alone !== undefined) this.#companyHelps ??= helps([...this.#lanes.keys()], this.#alone);
  }

  #begin(lane: RunningLane, first?: Incoming): void {
    // It was opened before there was a lane, so its own signal does not know of it.
    if (first !== undefined) lane.leaving.addEventListener('abort', () => void letGo(first), { once: true });
    this.#lanes.set(lane, this.#run(lane, first));
  }

  async #run(lane: RunningLane, first: Incoming | undefined): Promise<void> {
    const failure = await this.#work(lane, first).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    this.#lanes.delete(lane);
    // What a lane that was sent away fails with is of no interest, but for the store's own failures.
    const matters = failure !== undefined && (!lane.left || failure.error instanceof NoRoom);
    if (matters && !this.#carriesOn(failure.error)) {
      this.#over.reject(failure.error);
      return;
    }
    this.#goOn();
  }

  #goOn(): void {
    this.#look();
    if (this.#lanes.size === 0) this.#end();
  }

  #end(): void {
    const { size, here, signal } = this.#parts;
    if (signal.aborted) this.#over.reject(signal.reason);
    else if (size !== undefined && here.total < size) this.#over.reject(new Error('nobody brings the rest'));
    else this.#over.resolve();
  }

  /** An upstream that grants no further connection: those that there are have to do. */
  #carriesOn(error: unknown): boolean {
    if (!(error instanceof RegistryError) || this.#lanes.size === 0 || this.#parts.signal.aborted) return false;
    this.#most = this.#lanes.size;
    this.#refusedAt = this.#parts.clock.now();
    // Whose way was shortened for it may go on.
    const { here, size = Infinity } = this.#parts;
    const lanes = [...this.#lanes.keys()];
    for (const lane of lanes) lane.goOn(wayBeyond({ here, lanes }, lane, size));
    return true;
  }

  async #work(lane: RunningLane, first: Incoming | undefined): Promise<void> {
    const { size, clock } = this.#parts;
    const write: Write = (chunk, offset) => this.#write(chunk, offset);
    const signal = AbortSignal.any([this.#parts.signal, lane.leaving]);
    const stream = resumed(first, {
      size,
      at: () => lane.at,
      end: () => (size === undefined || lane.stop === size ? undefined : lane.stop),
      open: (offset, until, end) => this.#open(lane, offset, until, end),
      spare: () => this.#canSpare(lane),
      clock,
      signal,
    });
    for await (const chunk of stream) {
      signal.throwIfAborted();
      if (lane.stop === size && chunk.length > lane.room) throw wrong('sends more bytes than it told');
      const piece = chunk.subarray(0, lane.room);
      await lane.bring(piece, write);
      if (piece.length < chunk.length || lane.done) break;
      if (clock.now() - this.#lookedAt >= lookEvery) this.#look();
    }
    signal.throwIfAborted();
    if (size !== undefined && lane.room > 0) throw wrong(`sent only ${lane.at} of ${size} bytes`);
  }

  /** Others carry on if it gives up, so it does. Lanes that break together may not all count on each other. */
  #canSpare(lane: RunningLane): boolean {
    const others = [...this.#lanes.keys()].some((each) => each !== lane && each.carriesOn);
    if (others) lane.giveUp();
    return others;
  }

  async #open(lane: RunningLane, offset: number, signal: AbortSignal, end: number | undefined): Promise<Incoming> {
    const { sources, here, size = Infinity } = this.#parts;
    const incoming = await sources.open(offset, signal, end);
    const fromBefore = incoming.offset < offset;
    if (fromBefore && this.#lanes.size > 1) {
      await letGo(incoming);
      throw wrong('ignores ranges');
    }
    if (fromBefore) lane.goThrough(here.gapsBelow(size) ?? { start: offset, end: lane.stop });
    lane.opened(incoming.end ?? (fromBefore ? size : (end ?? size)));
    return incoming;
  }

  /** Of what comes from before the place that was asked for, some is here. */
  async #write(chunk: Uint8Array, offset: number): Promise<void> {
    const { here, write } = this.#parts;
    const end = offset + chunk.length;
    for (let gap = here.gapAt(offset, end); gap !== undefined; gap = here.gapAt(gap.end, end)) {
      await write(chunk.subarray(gap.start - offset, gap.end - offset), gap.start);
    }
  }
}
