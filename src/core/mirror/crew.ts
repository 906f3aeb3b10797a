// The lanes of a fill at work: begins them where the plan says, and goes on until all is here.
import { RegistryError } from '../oci/errors.ts';
import { Company } from './company.ts';
import { type Want, nextMove, servedBy, wayBeyond } from './lanes.ts';
import { type Incoming, NoRoom, letGo } from './ports.ts';
import { type WorkParts, work } from './lane-work.ts';
import { RunningLane } from './running-lane.ts';

export interface CrewParts extends WorkParts {
  /** Of the readers who wait just now. */
  readonly wants: () => Iterable<Want>;
  /** How many lanes there may be at once. */
  readonly most: number;
  /** Whether it is us that are slow just now: then further lanes would bring nothing sooner. */
  readonly busy: () => boolean;
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
  readonly #company = new Company();

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
    this.#company.judge([...this.#lanes.keys()], this.#lookedAt);
    if (this.#lookedAt - this.#refusedAt >= refusedFor) this.#most = this.#parts.most;
    const companyHelps = this.#company.helps && !busy();
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
      if (move.why === 'slow') {
        this.#company.comesTo(lanes, this.#lookedAt);
        this.#lags(shortened);
      }
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

  #begin(lane: RunningLane, first?: Incoming): void {
    // It was opened before there was a lane, so its own signal does not know of it.
    if (first !== undefined) lane.leaving.addEventListener('abort', () => void letGo(first), { once: true });
    this.#lanes.set(lane, this.#run(lane, first));
  }

  async #run(lane: RunningLane, first: Incoming | undefined): Promise<void> {
    const colleagues = {
      isAlone: () => this.#lanes.size === 1,
      canSpare: () => this.#canSpare(lane),
      brought: () => this.#brought(lane),
    };
    const failure = await work(lane, first, this.#parts, colleagues).then(
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

  /** Its connection has just brought something. */
  #brought(lane: RunningLane): void {
    if (lane.throttled && this.#mayRenew()) {
      this.#lags(lane);
      lane.leave();
    } else if (this.#parts.clock.now() - this.#lookedAt >= lookEvery) this.#look();
  }

  /** Who else has the blob is to bring what this one would be long about. */
  #lags(lane: RunningLane | undefined): void {
    if (lane?.connection !== undefined) this.#parts.sources.stumbled(lane.connection);
  }

  /** Who gives parts, and as many connections as we like, gives another one for the one that we let go of. */
  #mayRenew(): boolean {
    const { size, sources, most, busy } = this.#parts;
    return size !== undefined && sources.ranges && this.#most === most && !busy();
  }

  /** Others carry on if it gives up, so it does. Lanes that break together may not all count on each other. */
  #canSpare(lane: RunningLane): boolean {
    const others = [...this.#lanes.keys()].some((each) => each !== lane && each.carriesOn);
    if (others) lane.giveUp();
    return others;
  }
}
