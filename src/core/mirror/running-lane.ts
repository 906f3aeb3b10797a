// A lane of a fill at work: how far it has come, how fast it is, and where it stops.
import type { Interval } from './intervals.ts';
import type { Lane } from './lanes.ts';
import { Meter } from './meter.ts';
import type { Clock, Incoming } from './ports.ts';

/** The chunk is only lent until it resolves. */
export type Write = (chunk: Uint8Array, offset: number) => Promise<void>;

/** Milliseconds that a lane has before it may have to make place: else lanes would do little but begin, one for the other. */
const tenure = 2000;
/** Milliseconds for which a reader who has just been served is taken to want more. */
const followedFor = 2000;
/** Slower than that part of what it was. */
const crawling = 1 / 20;
/** Milliseconds of being slow that are no hiccup. */
const crawlsFor = 5000;
/** Milliseconds that it would take for the rest: less is not worth another connection. */
const worthwhile = 10_000;

export class RunningLane implements Lane {
  /** That it has, or had last. */
  connection: Incoming | undefined;
  readonly #clock: Clock;
  readonly #leaving = new AbortController();
  #at: number;
  /** Beyond `at` while a chunk is being written. */
  #written: number;
  #stop: number;
  /** Where its connection ends by itself. */
  #end: number;
  #meter: Meter | undefined;
  readonly #beganAt: number;
  #followedAt = -Infinity;
  /** The best rate of its connection. */
  #best = 0;
  /** When it was last not much slower than that. */
  #keptUpAt = -Infinity;
  #gaveUp = false;

  constructor(at: number, stop: number, end: number, clock: Clock) {
    this.#beganAt = clock.now();
    this.#at = at;
    this.#written = at;
    this.#stop = stop;
    this.#clock = clock;
    this.#end = end;
  }

  get at(): number {
    return this.#at;
  }

  get stop(): number {
    return this.#stop;
  }

  get rate(): number | undefined {
    return this.#meter?.rate(this.#clock.now(), this.#at);
  }

  get held(): boolean {
    const now = this.#clock.now();
    return now - this.#beganAt < tenure || now - this.#followedAt < followedFor;
  }

  /** It was quick, has crawled for some time, and much is left: a new connection may be quick again. To be asked when it brings. */
  get throttled(): boolean {
    const { rate } = this;
    if (rate === undefined) return false;
    const now = this.#clock.now();
    this.#best = Math.max(this.#best, rate);
    if (rate >= this.#best * crawling) this.#keptUpAt = now;
    return now - this.#keptUpAt >= crawlsFor && this.room >= rate * worthwhile;
  }

  /** A reader waits for what it brings. */
  follow(): void {
    this.#followedAt = this.#clock.now();
  }

  /** Bytes that it still has to bring. */
  get room(): number {
    return this.#stop - this.#at;
  }

  /** Its connection has more, but it is not wanted. One that ends here anyway is read to its end, so that it can be used again. */
  get done(): boolean {
    return this.room <= 0 && this.#end !== this.#stop;
  }

  get leaving(): AbortSignal {
    return this.#leaving.signal;
  }

  get left(): boolean {
    return this.#leaving.signal.aborted;
  }

  leave(): void {
    this.#leaving.abort(new Error('this lane is wanted elsewhere'));
  }

  /** Its failure is the last: others do its work. */
  giveUp(): void {
    this.#gaveUp = true;
  }

  /** However often it fails, it tries again. */
  get carriesOn(): boolean {
    return !this.#gaveUp && !this.left;
  }

  /** A new connection, that ends there by itself. How fast it is remains to be seen: the wait for it says nothing of that. */
  opened(end: number): void {
    this.#end = end;
    this.#meter = undefined;
    this.#best = 0;
  }

  /** Its connection begins at the start, whatever was asked for: it brings all that is missing. */
  goThrough({ start, end }: Interval): void {
    this.#at = start;
    this.#written = start;
    this.#stop = end;
  }

  /** False: too late, what lies there is being written. */
  stopAt(offset: number): boolean {
    if (offset < this.#written) return false;
    this.#stop = offset;
    return true;
  }

  /** As far as that, if its connection does. */
  goOn(way: number): void {
    this.#stop = Math.max(this.#stop, Math.min(way, this.#end));
  }

  async bring(piece: Uint8Array, write: Write): Promise<void> {
    if (piece.length === 0) return;
    this.#meter ??= new Meter(this.#clock.now(), this.#at);
    this.#written = this.#at + piece.length;
    await write(piece, this.#at);
    this.#at = this.#written;
    this.#meter.note(this.#clock.now(), this.#at);
  }
}
