// Limits for each client that slow down before they refuse: requests, bytes, and blobs that are being sent at once.
import type { Caller } from '../access/caller.ts';
import { contains, parseNetwork } from '../access/networks.ts';
import type { Report } from '../mirror/events.ts';
import { Bounded } from '../oci/bounded.ts';
import { type Every, Rounds } from '../oci/rounds.ts';
import { Bucket, type Rate } from './bucket.ts';
import { type Limit, nameOf, type Pace, tooMuch } from './limit.ts';
import { Queue } from './queue.ts';

export interface LimitSettings {
  /** As many at once, if none came before. */
  readonly requests: Rate | undefined;
  /** For all that is sent to one client, together. */
  readonly bytes: Rate | undefined;
  /** Blobs that are being sent at once. */
  readonly pulls: number | undefined;
  /** Whether they are for clients on the loopback too. */
  readonly loopback: boolean;
}

export interface LimitsParts {
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number;
  readonly every: Every;
  readonly report: Report;
}

/** Milliseconds from one look at those who wait to the next. */
const pause = 50;
/** Milliseconds for the head of an answer, in all queues together: containerd gives up after 30 s, and an upstream takes its time too. */
const longestWait = 10_000;
/** Who wait for each place. An image has a dozen layers or two, and containerd may ask for all of them at once. */
const mostWaiting = 32;
/** Milliseconds between two steps of a body: the more take turns, the smaller are their steps. */
const longestPause = 2000;
/** Bytes of the smallest: who gets less than 1 KiB/s of us may think that we stall. */
const smallestStep = 2048;
/** Part of a second for which bytes that nobody took are kept, so that one late look costs nothing. */
const burst = 1 / 4;
/** Of whom others have taken the place, begins anew. */
const mostClients = 10_000;

const loopback = ['127.0.0.0/8', '::1'].map(parseNetwork);

export class Limits {
  readonly #parts: LimitsParts;
  readonly #rounds: Rounds;
  readonly #clients = new Bounded<Client>(mostClients);

  constructor(parts: LimitsParts) {
    this.#parts = parts;
    this.#rounds = new Rounds(parts.now, parts.every, pause);
  }

  /** As they are configured just now: what somebody has taken under others still counts. */
  by(settings: LimitSettings): Limit {
    return async (caller, { blob, signal }) => {
      const client = this.#clientOf(caller, settings);
      if (client === undefined) return undefined;
      const until = this.#parts.now() + longestWait;
      await client.ask(until, signal);
      const over = blob && settings.pulls !== undefined ? await client.begin(until, signal) : () => {};
      return { pace: client.pace(), over };
    };
  }

  /** Of bytes alone. Undefined: as fast as can be. */
  paceOf(caller: Caller, settings: LimitSettings): Pace | undefined {
    return this.#clientOf(caller, settings)?.pace();
  }

  #clientOf(caller: Caller, settings: LimitSettings): Client | undefined {
    if (!settings.loopback && loopback.some((network) => contains(network, caller.address))) return undefined;
    const client = this.#clients.getOr(nameOf(caller), () => new Client(settings, this.#rounds, this.#parts.report));
    client.settings = settings;
    return client;
  }
}

class Client {
  settings: LimitSettings;
  readonly #rounds: Rounds;
  readonly #report: Report;
  readonly #requests = new Bucket();
  readonly #bytes = new Bucket();
  #sending = 0;
  readonly #asking: Queue;
  readonly #beginning: Queue;
  readonly #pacing: Queue;

  constructor(settings: LimitSettings, rounds: Rounds, report: Report) {
    this.settings = settings;
    this.#rounds = rounds;
    this.#report = report;
    this.#asking = new Queue(rounds, () => this.#takeRequest());
    this.#beginning = new Queue(rounds, () => this.#takePlace());
    this.#pacing = new Queue(rounds, (bytes) => this.#takeBytes(bytes));
  }

  /** A request's turn. Throws at once what it would throw after the longest wait. */
  async ask(until: number, signal: AbortSignal): Promise<void> {
    const late = this.#delay() - longestWait;
    if (late > 0) throw this.#refusal('requests', late);
    await this.#wait('requests', this.#asking, until, signal);
  }

  /** A blob's place among those that are sent. What it gives back is called when that is over. */
  async begin(until: number, signal: AbortSignal): Promise<() => void> {
    if (this.#beginning.length >= mostWaiting * (this.settings.pulls ?? Infinity)) {
      throw this.#refusal('pulls', longestWait);
    }
    await this.#wait('pulls', this.#beginning, until, signal);
    return () => {
      this.#sending -= 1;
      this.#beginning.look(this.#rounds.now());
    };
  }

  /** Of one body. */
  pace(): Pace | undefined {
    if (this.settings.bytes === undefined) return undefined;
    let waited = false;
    const leaving = new AbortController();
    return {
      take: (bytes) => {
        const turn = this.#pacing.enter(bytes, Infinity, leaving.signal);
        if (typeof turn === 'number') return turn;
        if (!waited) this.#report({ kind: 'limited', by: 'bytes', refused: false });
        waited = true;
        return turn;
      },
      leave: () => leaving.abort(),
    };
  }

  async #wait(by: 'requests' | 'pulls', queue: Queue, until: number, signal: AbortSignal): Promise<void> {
    const turn = queue.enter(1, until, signal);
    if (typeof turn === 'number') return;
    if ((await turn) === 0) {
      signal.throwIfAborted();
      throw this.#refusal(by, longestWait);
    }
    this.#report({ kind: 'limited', by, refused: false });
  }

  #refusal(by: 'requests' | 'pulls', ms: number): Error {
    this.#report({ kind: 'limited', by, refused: true });
    return tooMuch(Math.ceil(ms / 1000));
  }

  #takeRequest(): number {
    const { requests } = this.settings;
    if (requests === undefined) return 1;
    return this.#requests.take(1, 1, requests.amount, requests, this.#rounds.now()) ? 1 : 0;
  }

  /** Milliseconds until one that comes now has its turn. */
  #delay(): number {
    const { requests } = this.settings;
    if (requests === undefined) return 0;
    const has = this.#requests.fill(requests.amount, requests, this.#rounds.now());
    return ((this.#asking.length + 1 - has) * requests.per) / requests.amount;
  }

  #takePlace(): number {
    if (this.#sending >= (this.settings.pulls ?? Infinity)) return 0;
    this.#sending += 1;
    return 1;
  }

  /** What is more than there is, is owed: who comes next waits for it. */
  #takeBytes(wanted: number): number {
    const { bytes: rate } = this.settings;
    if (rate === undefined) return wanted;
    const fair = (rate.amount * longestPause) / rate.per / Math.max(1, this.#pacing.length);
    const bytes = Math.min(wanted, Math.max(smallestStep, Math.floor(fair)));
    return this.#bytes.take(bytes, 1, rate.amount * burst, rate, this.#rounds.now()) ? bytes : 0;
  }
}
