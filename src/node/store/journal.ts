// What a fill has written so far, beside its file: so that another can go on there after a crash.
//
// Lines of text that vouch for themselves, each with a checksum of its own, so that a torn one harms no other. Nothing is ever
// synced: what the disk has kept of the file is believed only when it still has the checksum that is written here.
import { constants } from 'node:fs';
import { type FileHandle, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { Intervals } from '../../core/mirror/intervals.ts';
import type { Origin } from '../../core/mirror/origin.ts';
import { type Digest, isDigest } from '../../core/oci/digest.ts';
import { openPlain } from './plain-file.ts';

/** Bytes in a row that one connection wrote in order, and their CRC-32. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly crc: number;
}

/** What a journal tells. The stretches are in order and do not overlap. */
export interface Journalled {
  readonly digest: Digest;
  /** Bytes of the whole blob, as the upstream told. */
  readonly size: number;
  readonly origin: Origin;
  readonly stretches: readonly Stretch[];
}

/** Bytes of a blob below which it is not worth while: it is fetched again sooner than it is missed. */
export const leastKept = 4 * 1024 * 1024;
/** Bytes after which a stretch is written down: as much as each connection may lose by a crash. */
export const stretchLength = 1024 * 1024;

export interface JournalParts {
  /** Made when there is something to write. */
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
  readonly origin: Origin;
  /** How many connections there may be at once. */
  readonly lanes: number;
  /** Told once; from then on nothing more is written down. */
  readonly failed: (error: unknown) => void;
}

const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;

/** Nobody waits for it but who ends it. */
export class Journal {
  readonly #parts: JournalParts;
  /** Those that still grow, by where they end; the one that grew last is the last. */
  readonly #growing = new Map<number, { readonly start: number; end: number; crc: number }>();
  /** Still to be written. Begins anew on a line of its own, whatever a crash may have left. */
  #text: string;
  #handle: FileHandle | undefined;
  #writing: Promise<void> | undefined;
  #broken = false;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.#text = `\n${sealed(`blob ${parts.digest} ${parts.size} ${parts.origin}`)}`;
  }

  /** This was written to the file. */
  note(chunk: Uint8Array, offset: number): void {
    if (this.#broken) return;
    const stretch = this.#growing.get(offset) ?? { start: offset, end: offset, crc: 0 };
    this.#growing.delete(offset);
    stretch.crc = crc32(chunk, stretch.crc);
    stretch.end += chunk.length;
    if (stretch.end - stretch.start >= stretchLength) {
      this.#add(stretch);
      return;
    }
    this.#growing.set(stretch.end, stretch);
    if (this.#growing.size > this.#parts.lanes) this.#endOne();
  }

  /** There are more than connections: the one that has not grown for the longest will not any more. */
  #endOne(): void {
    for (const [end, stretch] of this.#growing) {
      this.#growing.delete(end);
      this.#add(stretch);
      return;
    }
  }

  #add({ start, end, crc }: Stretch): void {
    this.#text += sealed(`at ${start} ${end - start} ${hexOf(crc)}`);
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    try {
      this.#handle ??= await openPlain(this.#parts.path, appending);
      while (this.#text !== '') {
        const text = this.#text;
        this.#text = '';
        await this.#handle.write(text);
      }
    } catch (error) {
      this.#broken = true;
      this.#parts.failed(error);
    } finally {
      this.#writing = undefined;
    }
  }

  /** Writes down what is still growing, and closes it: nothing more will be written to the file. */
  async end(): Promise<void> {
    for (const stretch of this.#growing.values()) this.#add(stretch);
    await this.#close();
  }

  /** Nobody needs it any more. */
  async remove(): Promise<void> {
    this.#text = '';
    await this.#close();
    // It may be that of the fill before this one.
    await rm(this.#parts.path, { force: true });
  }

  async #close(): Promise<void> {
    this.#growing.clear();
    await this.#writing;
    await this.#handle?.close().catch(() => undefined);
    this.#handle = undefined;
  }
}

/** Undefined if there is none, or if it does not say of what. */
export async function readJournal(path: string): Promise<Journalled | undefined> {
  return parseJournal(await textOf(path).catch(() => ''));
}

async function textOf(path: string): Promise<string> {
  await using handle = await openPlain(path, constants.O_RDONLY);
  return await handle.readFile('latin1');
}

/** Whatever makes no sense is left out. Where two stretches overlap, the later one is the true one. */
export function parseJournal(text: string): Journalled | undefined {
  const lines = text.split('\n').map((line) => unsealed(line) ?? '');
  const [head, ...others] = new Set(lines.filter((line) => line.startsWith('blob ')));
  const [, digest = '', length = '', origin = ''] = head?.split(' ') ?? [];
  const size = numberIn(length);
  if (others.length > 0 || !isDigest(digest) || size === undefined || origin === '') return undefined;
  const taken = new Intervals();
  const stretches: Stretch[] = [];
  for (const line of lines.toReversed()) {
    const stretch = stretchIn(line);
    if (stretch === undefined || stretch.end > size) continue;
    const free = taken.gapAt(stretch.start, stretch.end);
    if (free?.start !== stretch.start || free.end !== stretch.end) continue;
    taken.add(stretch.start, stretch.end);
    stretches.push(stretch);
  }
  return { digest, size, origin, stretches: stretches.toSorted((one, other) => one.start - other.start) };
}

function stretchIn(line: string): Stretch | undefined {
  const [what, at = '', length = '', crc = ''] = line.split(' ');
  const [start, bytes] = [numberIn(at), numberIn(length)];
  if (what !== 'at' || start === undefined || bytes === undefined || bytes === 0) return undefined;
  return { start, end: start + bytes, crc: parseInt(crc, 16) };
}

function numberIn(text: string): number | undefined {
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function sealed(text: string): string {
  return `${text} ${hexOf(crc32(text))}\n`;
}

function unsealed(line: string): string | undefined {
  const text = line.slice(0, -9);
  return line === `${text} ${hexOf(crc32(text))}` ? text : undefined;
}

function hexOf(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
