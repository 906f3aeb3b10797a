// The link's arithmetic: who may send how many bytes now. Time is a parameter, in milliseconds.

/** What a bucket holds at most, in seconds of its rate: a relay that was late for a moment catches up. */
const burst = 0.02;
/** What a sender sends at most before it is the next one's turn. */
const quantum = 16 * 1024;

/** Fills at `rate` bytes a second. Without a rate there is no limit. */
export class Bucket {
  readonly #rate: number | undefined;
  #bytes = 0;
  #filledAt: number;

  constructor(rate: number | undefined, now: number) {
    this.#rate = rate;
    this.#filledAt = now;
  }

  available(now: number): number {
    if (this.#rate === undefined) return Infinity;
    const more = ((now - this.#filledAt) / 1000) * this.#rate;
    this.#bytes = Math.min(this.#rate * burst, this.#bytes + more);
    this.#filledAt = now;
    return Math.floor(this.#bytes);
  }

  take(bytes: number): void {
    this.#bytes -= bytes;
  }
}

export interface Sender {
  readonly own: Bucket;
  /** Bytes that it could send now, if it may. */
  readonly waiting: number;
  send(bytes: number, now: number): void;
}

/**
 * Lets each send what its own bucket and everybody's allow, a little in turn. Who has sent goes to the end of the set, where the
 * same loop finds him again; who could not stays in front, and is the first the next time.
 */
export function share(senders: Set<Sender>, all: Bucket, now: number): void {
  for (const sender of senders) {
    const bytes = Math.min(quantum, sender.waiting, sender.own.available(now), all.available(now));
    if (bytes <= 0) continue;
    sender.own.take(bytes);
    all.take(bytes);
    sender.send(bytes, now);
    senders.delete(sender);
    senders.add(sender);
  }
}
