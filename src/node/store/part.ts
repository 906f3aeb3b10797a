// The file of a blob on its way in, and the room that is kept for it.
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { Report } from '../../core/mirror/events.ts';
import { NoRoom } from '../../core/mirror/ports.ts';
import type { Digest } from '../../core/oci/digest.ts';
import type { Budget, Reservation } from './budget.ts';
import type { Home } from './home.ts';
import { SharedFile } from './shared-file.ts';
import type { Shelf } from './shelf.ts';

/** By how much the room grows while nobody knows the size. */
const step = 16 * 1024 * 1024;

export interface PartParts {
  readonly home: Home;
  readonly shelf: Shelf;
  readonly budget: Budget;
  readonly report: Report;
}

/** Everything here that the disk refuses is a NoRoom: nothing to tell a client, whose pull goes on without the store. */
export class Part {
  readonly file: SharedFile;
  readonly #path: string;
  readonly #parts: PartParts;
  readonly #reservation: Reservation;
  readonly #letGo: () => void;

  /** `path`: nothing is there yet. `claimed`: bytes that it may come to; no room is made for them. Throws NoRoom. */
  static async create(parts: PartParts, path: string, claimed: number): Promise<Part> {
    parts.budget.check(claimed);
    await really(parts.report, 'make the data directory ready', parts.home.ensure());
    return new Part(parts, path, await really(parts.report, 'create a file', open(path, 'wx+', 0o600)));
  }

  private constructor(parts: PartParts, path: string, handle: FileHandle) {
    this.#parts = parts;
    this.#path = path;
    this.#reservation = parts.budget.reservation();
    this.file = new SharedFile(handle);
    this.#letGo = this.file.hold();
  }

  /** Makes room for a blob of `size` bytes in all. Throws NoRoom. */
  async expect(size: number): Promise<void> {
    await really(this.#parts.report, 'make room', this.#reservation.grow(size));
  }

  /** Makes room up to `end` and, in steps, beyond, for a blob of unknown size. Throws NoRoom. */
  async growTo(end: number): Promise<void> {
    const { bytes } = this.#reservation;
    if (end > bytes) await this.expect(Math.max(end, this.#nextStep(bytes)));
  }

  /** A small budget is not to be emptied for a blob that may be tiny. */
  #nextStep(bytes: number): number {
    const { limit } = this.#parts.budget;
    return limit === undefined ? bytes + step : Math.min(limit, bytes + Math.min(step, Math.ceil(limit / 16)));
  }

  async write(chunk: Uint8Array, offset: number): Promise<void> {
    await really(this.#parts.report, 'write a blob', writeAll(this.file.handle, chunk, offset));
    this.#reservation.wrote(chunk.length);
  }

  /** Reads back what was written; at least one byte. */
  async read(into: Uint8Array, length: number, offset: number): Promise<number> {
    return really(this.#parts.report, 'read a blob back', readSome(this.file.handle, into, length, offset));
  }

  /** Whole and right: from here on it is the shelf's. */
  async place(digest: Digest, size: number): Promise<void> {
    const { report, shelf } = this.#parts;
    const listed = () => this.#reservation.release();
    await really(report, 'sync a blob', this.file.handle.sync());
    await really(report, 'put a blob in its place', shelf.place(digest, this.#path, this.file, size, listed));
    this.#letGo();
  }

  /** The file goes; its room is free when the last reader has let go of it. */
  async discard(): Promise<void> {
    try {
      await really(this.#parts.report, 'remove a file', rm(this.#path, { force: true }));
    } catch {
      // Told already. The next start empties the directory.
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
