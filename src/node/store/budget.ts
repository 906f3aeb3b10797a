// The byte budget: room is reserved before bytes arrive, and made by evicting what was not used for the longest.
import type { Report } from '../../core/mirror/events.ts';
import { NoRoom } from '../../core/mirror/ports.ts';
import type { Entry } from './book-tables.ts';
import type { Leftovers } from './leftovers.ts';
import type { Ledger } from './ledger.ts';
import type { Shelf } from './shelf.ts';

/** Candidates for eviction that are asked of the book in one go. */
const slice = 64;
/** Files that are taken away: a big one takes the disk a while, and whoever reads must not stand behind many. */
const atOnce = 4;

export interface BudgetParts {
  /** Bytes; undefined: only the disk's. */
  readonly limit: number | undefined;
  /** Bytes that the disk has for us. */
  readonly freeSpace: () => Promise<number>;
  readonly ledger: Ledger;
  readonly shelf: Shelf;
  readonly leftovers: Leftovers;
  readonly report: Report;
  /** Ends evictions; nothing is taken in afterwards. */
  readonly stop: AbortSignal;
}

export class Budget {
  /** May be another from one moment to the next; `trim` heeds that at once, and whatever comes in. */
  limit: number | undefined;
  /** False: the ledger was lost. Until all is counted nobody knows how much room there is, so there is none. */
  known = true;
  readonly #freeSpace: () => Promise<number>;
  readonly #ledger: Ledger;
  readonly #shelf: Shelf;
  readonly #leftovers: Leftovers;
  readonly #report: Report;
  readonly #stop: AbortSignal;
  #reserved = 0;
  /** Of what is reserved: it is on the disk already. */
  #written = 0;
  #turn: Promise<void> = Promise.resolve();

  constructor({ limit, freeSpace, ledger, shelf, leftovers, report, stop }: BudgetParts) {
    this.limit = limit;
    this.#freeSpace = freeSpace;
    this.#ledger = ledger;
    this.#shelf = shelf;
    this.#leftovers = leftovers;
    this.#report = report;
    this.#stop = stop;
  }

  /** For what is coming in, and of what broke off on its way. */
  get reserved(): number {
    return this.#reserved + this.#leftovers.bytes;
  }

  get used(): number {
    return this.#ledger.bytes + this.#shelf.looseBytes + this.reserved;
  }

  /** Evicts what is over the limit, which may have been lowered. */
  async trim(): Promise<void> {
    await this.#take(0, 0);
  }

  /**
   * Throws NoRoom if there can be none for a blob of that size, whatever is evicted, so that no upstream is asked in vain. A size
   * that only a client's word is behind makes no room.
   */
  async check(bytes: number): Promise<void> {
    this.checkLimit(bytes);
    // What nobody reads any more is in the way until it is closed.
    await this.#shelf.closings();
    const staying = this.#staying();
    if (this.limit !== undefined && staying + bytes > this.limit) throw new NoRoom('full');
    if ((await this.#shortOf(bytes)) > this.used - staying) throw this.#diskIsFull();
  }

  /** Throws NoRoom if it is too large, or nobody knows how much there is. */
  checkLimit(bytes: number): void {
    if (this.limit === undefined) return;
    if (bytes > this.limit) throw new NoRoom('too-large');
    if (!this.known) throw stillCounting();
  }

  /** Bytes that cannot be evicted. */
  #staying(): number {
    return this.#shelf.openBytes + this.#shelf.looseBytes + this.#reserved;
  }

  /** Of what is on the disk already, and was counted as a leftover until this moment. */
  reservation(onDisk = 0): Reservation {
    this.#reserved += onDisk;
    this.#written += onDisk;
    return new Reservation(onDisk, {
      take: (more, total) => this.#take(more, total),
      wrote: (bytes) => (this.#written += bytes),
      giveBack: (reserved, written) => {
        this.#reserved -= reserved;
        this.#written -= written;
      },
    });
  }

  /** In turn: two must not count on the same room, and a big one must not wait for ever behind small ones. */
  #take(more: number, total: number): Promise<void> {
    const mine = this.#turn.then(() => this.#makeRoom(more, total));
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async #makeRoom(more: number, total: number): Promise<void> {
    if (this.#stop.aborted) throw new NoRoom('full');
    this.checkLimit(total);
    if (this.limit !== undefined) await this.#evictDownTo(this.limit - more);
    await this.#makeRoomOnDisk(more);
    this.#reserved += more;
  }

  /** The disk may be smaller than the limit, and others write to it too. */
  async #makeRoomOnDisk(more: number): Promise<void> {
    const short = await this.#shortOf(more);
    if (short <= 0) return;
    try {
      await this.#evictDownTo(this.used - short);
    } catch (error) {
      const isFull = error instanceof NoRoom && this.known && !this.#stop.aborted;
      throw isFull ? this.#diskIsFull() : error;
    }
    // Some file systems give room back only later. Then this one is passed by, rather than all the others evicted.
    if ((await this.#shortOf(more)) > 0) throw this.#diskIsFull();
  }

  #diskIsFull(): NoRoom {
    const error = Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
    this.#report({ kind: 'trouble', where: 'store', doing: 'making room', error });
    return new NoRoom('full', error);
  }

  /** Bytes that the disk lacks for that, beside what running fills have still to write. */
  async #shortOf(more: number): Promise<number> {
    return more + this.#reserved - this.#written - (await this.#freeSpace());
  }

  async #evictDownTo(allowed: number): Promise<void> {
    if (this.used > allowed) await this.#shelf.closings();
    if (!this.known) throw stillCounting();
    await this.#leftovers.dropUntil(() => this.#isDownTo(allowed));
    let after: Entry | undefined;
    while (!this.#isDownTo(allowed)) {
      const candidates = await this.#ledger.oldest(after, slice);
      if (candidates.length === 0) throw new NoRoom('full');
      if (!(await this.#evictFrom(candidates, allowed))) throw new NoRoom('full');
      after = candidates.at(-1);
    }
  }

  /** Throws NoRoom if it cannot come to be: what stays in any case is more, or the store is being closed. */
  #isDownTo(allowed: number): boolean {
    if (this.used <= allowed) return true;
    if (this.#staying() > allowed || this.#stop.aborted) throw new NoRoom('full');
    return false;
  }

  /** False if none of those that should have gone did: the next ones would not either. */
  async #evictFrom(candidates: readonly Entry[], allowed: number): Promise<boolean> {
    let [tried, failed] = [0, 0];
    for (let at = 0; at < candidates.length && !this.#isDownTo(allowed); at += atOnce) {
      const victims = this.#victims(candidates.slice(at, at + atOnce), this.used - allowed);
      const outcomes = await Promise.allSettled(victims.map(({ digest, size }) => this.#shelf.remove(digest, size)));
      for (const [index, { digest, size }] of victims.entries()) {
        if (outcomes[index]?.status === 'fulfilled') this.#report({ kind: 'evicted', digest, size });
      }
      const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
      if (failed === 0 && failures[0] !== undefined) {
        this.#report({ kind: 'trouble', where: 'store', doing: 'evicting a blob', error: failures[0].reason });
      }
      tried += victims.length;
      failed += failures.length;
    }
    return tried === 0 || failed < tried;
  }

  /** As many as it takes, of those that nobody is at. */
  #victims(candidates: readonly Entry[], excess: number): readonly Entry[] {
    const victims: Entry[] = [];
    let freed = 0;
    for (const candidate of candidates) {
      if (freed >= excess) break;
      if (this.#shelf.busy(candidate.digest)) continue;
      freed += candidate.size;
      victims.push(candidate);
    }
    return victims;
  }
}

function stillCounting(): NoRoom {
  return new NoRoom('full', new Error('still counting what is on the disk'));
}

interface Account {
  take(more: number, total: number): Promise<void>;
  wrote(bytes: number): void;
  giveBack(reserved: number, written: number): void;
}

/** Room for one blob on its way in. */
export class Reservation {
  readonly #account: Account;
  #bytes: number;
  #written: number;

  constructor(onDisk: number, account: Account) {
    this.#account = account;
    this.#bytes = onDisk;
    this.#written = onDisk;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** To at least that many in all. Throws NoRoom and stays what it was. */
  async grow(total: number): Promise<void> {
    const more = total - this.#bytes;
    if (more <= 0) return;
    await this.#account.take(more, total);
    this.#bytes += more;
  }

  /** So many bytes more are on the disk, or the same ones again. */
  wrote(bytes: number): void {
    const more = Math.min(bytes, this.#bytes - this.#written);
    this.#account.wrote(more);
    this.#written += more;
  }

  /** Does nothing the second time. */
  release(): void {
    this.#account.giveBack(this.#bytes, this.#written);
    this.#bytes = 0;
    this.#written = 0;
  }
}
