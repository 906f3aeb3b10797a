// The file of a blob on its way in, and the room that is kept for it.
import { constants } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Report } from '../../core/mirror/events.ts';
import type { Origin } from '../../core/mirror/origin.ts';
import { NoRoom } from '../../core/mirror/ports.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Budget, Reservation } from './budget.ts';
import type { Home } from './home.ts';
import { Journal, leastKept, type Stretch } from './journal.ts';
import { journalOf } from './layout.ts';
import { type Leftovers, leftoverAt } from './leftovers.ts';
import { openPlain } from './plain-file.ts';
import { SharedFile } from './shared-file.ts';
import type { Shelf } from './shelf.ts';

/** By how much the room grows while nobody knows the size. */
const step = 16 * 1024 * 1024;

export interface PartParts {
  readonly home: Home;
  readonly shelf: Shelf;
  readonly budget: Budget;
  readonly leftovers: Leftovers;
  readonly report: Report;
}

export interface PartOrder {
  readonly digest: Digest;
  /** Bytes, if they are known before the upstream is asked: what it may come to; no room is made for them. */
  readonly expected: number | undefined;
  /** What is written here is for fills of the same. */
  readonly origin: Origin;
  /** How many connections may write to it at once. */
  readonly lanes: number;
  /** Where a new one is made; nothing is there yet. */
  readonly path: string;
}

/** What an earlier fill wrote, as it said: bytes of the whole blob, and what of them should be in the file. */
interface Left {
  readonly size: number;
  readonly stretches: readonly Stretch[];
}

/** Everything here that the disk refuses is a NoRoom: nothing to tell a client, whose pull goes on without the store. */
export class Part {
  readonly file: SharedFile;
  /** Undefined: it is a new one. */
  readonly left: Left | undefined;
  readonly #order: PartOrder;
  readonly #path: string;
  readonly #parts: PartParts;
  readonly #reservation: Reservation;
  readonly #letGo: () => void;
  #journal: Journal | undefined;

  /** Throws NoRoom. */
  static async create(parts: PartParts, order: PartOrder): Promise<Part> {
    await really(parts.report, 'making the data directory ready', parts.home.ensure());
    await really(parts.report, 'looking for room', parts.budget.check(order.expected ?? 0));
    const handle = await really(parts.report, 'creating a file', open(order.path, 'wx+', 0o600));
    return new Part(parts, order, order.path, handle, parts.budget.reservation(), undefined);
  }

  /** The file that an earlier fill of this blob has left; undefined if there is none, or none of use. */
  static async adopt(parts: PartParts, order: PartOrder): Promise<Part | undefined> {
    const listed = parts.leftovers.claim(order);
    if (listed === undefined) return undefined;
    const { path, bytes } = listed;
    const reservation = parts.budget.reservation(bytes);
    const left = await leftoverAt(path).catch(() => undefined);
    const handle = await openPlain(path, constants.O_RDWR).catch(() => undefined);
    if (handle === undefined) {
      reservation.release();
      await parts.leftovers.putBack(listed);
      return undefined;
    }
    const part = new Part(parts, order, path, handle, reservation, left);
    if (left !== undefined && left.size === (order.expected ?? left.size)) return part;
    await part.discard();
    return undefined;
  }

  private constructor(
    parts: PartParts,
    order: PartOrder,
    path: string,
    handle: FileHandle,
    reservation: Reservation,
    left: Left | undefined,
  ) {
    this.#parts = parts;
    this.#order = order;
    this.#path = path;
    this.#reservation = reservation;
    this.left = left;
    this.file = new SharedFile(handle);
    this.#letGo = this.file.hold();
  }

  /** Makes room for a blob of `size` bytes in all, of which it is written down from now on what is here. Throws NoRoom. */
  async expect(size: number): Promise<void> {
    // Also if all that room is taken already.
    this.#parts.budget.checkLimit(size);
    await this.#reserve(size);
    if (size < leastKept) return;
    const { digest, lanes, origin } = this.#order;
    const failed = (error: unknown) =>
      this.#parts.report({ kind: 'trouble', where: 'store', doing: 'writing down what is here of a blob', error });
    this.#journal = new Journal({ path: journalOf(this.#path), digest, size, origin, lanes, failed });
  }

  async #reserve(bytes: number): Promise<void> {
    await really(this.#parts.report, 'making room', this.#reservation.grow(bytes));
  }

  /** Makes room up to `end` and, in steps, beyond, for a blob of unknown size. Throws NoRoom. */
  async growTo(end: number): Promise<void> {
    const { bytes } = this.#reservation;
    if (end > bytes) await this.#reserve(Math.max(end, this.#nextStep(bytes)));
  }

  /** A small budget is not to be emptied for a blob that may be tiny. */
  #nextStep(bytes: number): number {
    const { limit } = this.#parts.budget;
    return limit === undefined ? bytes + step : Math.min(limit, bytes + Math.min(step, Math.ceil(limit / 16)));
  }

  async write(chunk: Uint8Array, offset: number): Promise<void> {
    const written = really(this.#parts.report, 'writing a blob', writeAll(this.file.handle, chunk, offset));
    // While the disk writes. Should it come to nothing, the checksum will tell.
    this.#journal?.note(chunk, offset);
    await written;
    this.#reservation.wrote(chunk.length);
  }

  /** Reads back what was written; at least one byte. */
  async read(into: Uint8Array, length: number, offset: number): Promise<number> {
    return really(this.#parts.report, 'reading a blob back', readSome(this.file.handle, into, length, offset));
  }

  /** Whole and right: from here on it is the shelf's. */
  async place(digest: Digest, size: number): Promise<void> {
    const { report, shelf } = this.#parts;
    const listed = () => this.#reservation.release();
    await really(report, 'syncing a blob', this.file.handle.sync());
    await really(report, 'putting a blob in its place', shelf.place(digest, this.#path, this.file, size, listed));
    this.#letGo();
    // What remains of it, the next start takes away.
    await this.#journal?.remove().catch(() => undefined);
  }

  /** The file stays for the next who wants this blob, and counts as a leftover. Goes, if it is of no use. */
  async leave(): Promise<void> {
    await this.#journal?.end();
    this.#letGo();
    await this.file.closed;
    const isLeft = await this.#parts.leftovers.add(this.#path);
    if (isLeft) this.#reservation.release();
    else await this.discard();
  }

  /** The file goes; its room is free when the last reader has let go of it. */
  async discard(): Promise<void> {
    try {
      const { report } = this.#parts;
      await really(report, 'removing a file', rm(this.#path, { force: true }));
      await this.#journal?.remove();
      await really(report, 'removing a file', rm(journalOf(this.#path), { force: true }));
    } catch {
      // Told already. The next start takes away what is of no use.
    }
    this.#letGo();
    await this.file.closed;
    this.#reservation.release();
  }
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, offset: number): Promise<void> {
  let done = 0;
  while (done < chunk.length) {
    done += (await handle.write(chunk, done, chunk.length - done, offset + done)).bytesWritten;
  }
}

async function readSome(handle: FileHandle, into: Uint8Array, length: number, offset: number): Promise<number> {
  const { bytesRead } = await handle.read(into, 0, length, offset);
  if (bytesRead === 0) throw new Error('the file ends before what was written to it');
  return bytesRead;
}

async function really<T>(report: Report, doing: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof NoRoom) throw error;
    report({ kind: 'trouble', where: 'store', doing, error });
    throw new NoRoom('failed', error);
  }
}
