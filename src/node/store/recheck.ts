// What an earlier fill has left in the file: read again before a byte of it is believed, first where a reader waits.
import type { Interval } from '../../core/mirror/intervals.ts';
import { crc32 } from 'node:zlib';
import type { BufferPool } from '../buffer-pool.ts';
import type { Stretch } from './journal.ts';
import type { Part } from './part.ts';
import type { Progress } from './progress.ts';

export interface RecheckParts {
  readonly part: Part;
  readonly progress: Progress;
  readonly buffers: BufferPool;
  /** More is here. */
  readonly found: () => void;
  /** What was believed to be here is not: it has to be fetched. */
  readonly lost: (piece: Interval) => void;
  readonly signal: AbortSignal;
}

export class Recheck {
  readonly #parts: RecheckParts;
  /** In order. */
  readonly #unchecked: Stretch[];
  #checking: Promise<void> | undefined;
  #bytes = 0;

  constructor(parts: RecheckParts) {
    this.#parts = parts;
    this.#unchecked = [...(parts.part.left?.stretches ?? [])];
    this.#checking = this.#next();
  }

  /** Bytes that were as they should be. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The first piece that has to be fetched, as soon as there is one; undefined when all that was left was as it should be. */
  async missing(size: number): Promise<Interval | undefined> {
    for (;;) {
      this.#parts.signal.throwIfAborted();
      const gap = this.#parts.progress.covered.gapAt(0, size);
      if (gap !== undefined || this.#checking === undefined) return gap;
      await this.#checking;
    }
  }

  /** Resolves when nothing is read any more; to be called when the signal was aborted. */
  async stopped(): Promise<void> {
    while (this.#checking !== undefined) await this.#checking;
  }

  /** One after the other, so that other work has its turns. */
  #next(): Promise<void> | undefined {
    const stretch = this.#parts.signal.aborted ? undefined : this.#take();
    return stretch && this.#check(stretch).then(() => void (this.#checking = this.#next()));
  }

  #take(): Stretch | undefined {
    const { here, covered, wants } = this.#parts.progress;
    for (const { at } of wants) {
      const lacks = here.endAt(at);
      // Nothing of it is here, and yet nobody fetches it.
      if (covered.endAt(lacks) === lacks) continue;
      const index = this.#unchecked.findIndex(({ start, end }) => start <= lacks && lacks < end);
      if (index >= 0) return this.#unchecked.splice(index, 1)[0];
    }
    return this.#unchecked.shift();
  }

  async #check(stretch: Stretch): Promise<void> {
    const { progress, found, lost } = this.#parts;
    const { start, end } = stretch;
    if (await this.#isIntact(stretch)) {
      this.#bytes += end - start;
      progress.add(start, end);
      found();
    } else {
      progress.doubt([stretch]);
      lost(stretch);
    }
  }

  /** A disk that cannot read it has not got it. */
  async #isIntact({ start, end, crc }: Stretch): Promise<boolean> {
    const { part, buffers, signal } = this.#parts;
    const buffer = buffers.take();
    let sum = 0;
    try {
      for (let at = start; at < end;) {
        signal.throwIfAborted();
        const { bytesRead } = await part.file.handle.read(buffer, 0, Math.min(buffer.length, end - at), at);
        if (bytesRead === 0) return false;
        sum = crc32(buffer.subarray(0, bytesRead), sum);
        at += bytesRead;
      }
      return sum === crc;
    } catch {
      return false;
    } finally {
      buffers.giveBack(buffer);
    }
  }
}
