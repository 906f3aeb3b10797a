// An upstream with a tap for each connection: bytes flow as far as the test has opened it.
import { setImmediate } from 'node:timers/promises';
import type { Source } from '../../../src/core/mirror/ports.ts';
import { until } from './opening.ts';

export interface Tap {
  readonly offset: number;
  readonly end: number | undefined;
  readonly signal: AbortSignal;
  /** Lets so many more bytes flow; all, if nobody says. Resolves when they were taken. */
  flow(bytes?: number): Promise<void>;
}

const chunk = 64 * 1024;

export class Taps {
  readonly all: Tap[] = [];
  /** Bytes that were taken from all of them. */
  sent = 0;
  #open = false;
  readonly #bytes: Uint8Array;
  readonly #ranges: boolean;

  /** `ranges`: false for one that begins at 0, whatever it is asked. */
  constructor(bytes: Uint8Array, ranges = true) {
    this.#bytes = bytes;
    this.#ranges = ranges;
  }

  readonly source: Source = async (asked, signal, askedEnd) => {
    const offset = this.#ranges ? asked : 0;
    const last = (this.#ranges ? askedEnd : undefined) ?? this.#bytes.length;
    let granted = offset;
    let taken = offset;
    let wake = () => {};
    signal.addEventListener('abort', () => wake());
    const flow = async (bytes = Infinity) => {
      granted = Math.min(last, granted + bytes);
      wake();
      const target = granted;
      // Who wants the last bytes hashed before he gives them away takes them late: so not for ever.
      const isOver = () => taken >= target || signal.aborted;
      for (let turn = 0; turn < 100_000 && !isOver(); turn += 1) await setImmediate();
    };
    this.all.push({ offset: asked, end: askedEnd, signal, flow });
    if (this.#open) void flow();
    const whole = this.#bytes;
    const count = (bytes: number) => (this.sent += bytes);
    async function* stream(): AsyncGenerator<Uint8Array, void, undefined> {
      let at = offset;
      for (;;) {
        signal.throwIfAborted();
        taken = at;
        if (at >= last) return;
        if (at < granted) {
          // As a real one may: the chunk is only lent.
          const lent = Uint8Array.from(whole.subarray(at, Math.min(granted, at + chunk)));
          at += lent.length;
          count(lent.length);
          yield lent;
          lent.fill(0xee);
        } else await new Promise<void>((resolve) => (wake = resolve));
      }
    }
    return { offset, end: last, size: whole.length, stream: stream() };
  };

  /** Those that there are, and those to come: everything flows. */
  open(): void {
    this.#open = true;
    for (const tap of this.all) void tap.flow();
  }

  /** The connection with this number, as soon as there is one. */
  async tap(index: number): Promise<Tap> {
    await until(() => this.all.length > index);
    const tap = this.all[index];
    if (tap === undefined) throw new Error(`there are only ${this.all.length} connections`);
    return tap;
  }
}
