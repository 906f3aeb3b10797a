// The byte budget: room is reserved before bytes arrive, and made by evicting what was not used for the longest.
import type { Report } from '../../core/mirror/events.ts';
import { NoRoom } from '../../core/mirror/ports.ts';
import type { Entry } from './book-tables.ts';
import type { Ledger } from './ledger.ts';
import type { Shelf } from './shelf.ts';

/** Candidates for eviction that are looked at in one go; the event loop runs in between. */
const slice = 64;

export class Budget {
  readonly limit: number | undefined;
  readonly #ledger: Ledger;
  readonly #shelf: Shelf;
  readonly #report: Report;
  #reserved = 0;
  #turn: Promise<void> = Promise.resolve();
  #known = true;

  /** `limit`: bytes; undefined: only the disk's. */
  constructor(limit: number | undefined, ledger: Ledger, shelf: Shelf, report: Report) {
    this.limit = limit;
    this.#ledger = ledger;
    this.#shelf = shelf;
    this.#report = report;
  }

  get reserved(): number {
    return this.#reserved;
  }

  get used(): number {
    return this.#ledger.bytes + this.#shelf.looseBytes + this.#reserved;
  }

  /** The ledger was lost: until all is counted nobody knows how much room there is, so there is none. */
  async unknownUntil(counted: Promise<boolean>): Promise<void> {
    this.#known = false;
    this.#known = await counted;
  }

  /** Evicts what is over the limit, which may have been lowered since the last start. */
  async trim(): Promise<void> {
    await this.#take(0, 0);
  }

  /** Throws NoRoom. */
  async reserve(bytes: number): Promise<Reservation> {
    const reservation = new Reservation(
      (more, total) => this.#take(more, total),
      (less) => (this.#reserved -= less),
    );
    await reservation.grow(bytes);
    return reservation;
  }

  /** In turn: two must not count on the same room, and a big one must not wait for ever behind small ones. */
  #take(more: number, total: number): Promise<void> {
    const mine = this.#turn.then(() => this.#makeRoom(more, total));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #makeRoom(more: number, total: number): Promise<void> {
    if (this.limit !== undefined) {
      if (total > this.limit) throw new NoRoom('too-large');
      await this.#evictDownTo(this.limit - more);
    }
    this.#reserved += more;
  }

  async #evictDownTo(allowed: number): Promise<void> {
    if (this.used > allowed) await this.#shelf.closings();
    let after: Entry | undefined;
    if (!this.#known) throw new NoRoom('full');
    while (this.used > allowed) {
      const staying = this.#shelf.openBytes + this.#shelf.looseBytes + this.#reserved;
      if (staying > allowed) throw new NoRoom('full');
      const candidates = await this.#ledger.oldest(after, slice);
      if (candidates.length === 0) throw new NoRoom('full');
      await this.#evictFrom(candidates, this.used - allowed);
      after = candidates.at(-1);
    }
  }

  async #evictFrom(candidates: readonly Entry[], excess: number): Promise<void> {
    const victims: Entry[] = [];
    let freed = 0;
    for (const candidate of candidates) {
      if (freed >= excess) break;
      if (this.#shelf.busy(candidate.digest)) continue;
      freed += candidate.size;
      victims.push(candidate);
    }
    const outcomes = await Promise.allSettled(victims.map(({ digest }) => this.#shelf.remove(digest)));
    for (const [index, { digest, size }] of victims.entries()) {
      const outcome = outcomes[index];
      if (outcome?.status === 'fulfilled') this.#report({ kind: 'evicted', digest, size });
      else this.#report({ kind: 'trouble', where: 'store', doing: 'evict a blob', error: outcome?.reason });
    }
  }
}

/** Room for one blob on its way in. */
export class Reservation {
  readonly #take: (more: number, total: number) => Promise<void>;
  readonly #give: (less: number) => void;
  #bytes = 0;

  constructor(take: (more: number, total: number) => Promise<void>, give: (less: number) => void) {
    this.#take = take;
    this.#give = give;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** To at least that many in all. Throws NoRoom and stays what it was. */
  async grow(total: number): Promise<void> {
    const more = total - this.#bytes;
    if (more <= 0) return;
    await this.#take(more, total);
    this.#bytes += more;
  }

  /** Does nothing the second time. */
  release(): void {
    this.#give(this.#bytes);
    this.#bytes = 0;
  }
}
