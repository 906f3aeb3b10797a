// Which bytes of a blob are here: sorted pieces that neither touch nor overlap.

/** Bytes from `start` up to, not including, `end`; `end` is larger. */
export interface Interval {
  readonly start: number;
  readonly end: number;
}

export class Intervals implements Iterable<Interval> {
  readonly #pieces: Interval[] = [];
  #total = 0;

  [Symbol.iterator](): Iterator<Interval> {
    return this.#pieces.values();
  }

  /** Bytes in all. */
  get total(): number {
    return this.#total;
  }

  /** How far it goes from 0 without a gap. */
  get front(): number {
    return this.endAt(0);
  }

  /** Where the piece that `offset` lies in ends; `offset` itself if it lies in none. */
  endAt(offset: number): number {
    const piece = this.#pieces[this.#firstEndingAfter(offset)];
    return piece !== undefined && piece.start <= offset ? piece.end : offset;
  }

  /** The first gap at or after `offset`, cut off at `limit`; undefined if there is none before it. */
  gapAt(offset: number, limit: number): Interval | undefined {
    const start = this.endAt(offset);
    const end = Math.min(limit, this.#pieces[this.#firstEndingAfter(start)]?.start ?? Infinity);
    return start < end ? { start, end } : undefined;
  }

  /** From the first gap to the end of the last one, cut off at `limit`; undefined if there is none before it. */
  gapsBelow(limit: number): Interval | undefined {
    const first = this.gapAt(0, limit);
    const last = this.#pieces.at(-1);
    return first && { start: first.start, end: last !== undefined && last.end >= limit ? last.start : limit };
  }

  add(start: number, end: number): void {
    if (start >= end) return;
    // Those that it touches or overlaps become one with it.
    const first = this.#firstEndingAfter(start - 1);
    let next = first;
    let merged = { start, end };
    for (let piece = this.#pieces[next]; piece !== undefined && piece.start <= end; piece = this.#pieces[next]) {
      merged = { start: Math.min(merged.start, piece.start), end: Math.max(merged.end, piece.end) };
      this.#total -= piece.end - piece.start;
      next += 1;
    }
    this.#pieces.splice(first, next - first, merged);
    this.#total += merged.end - merged.start;
  }

  remove(start: number, end: number): void {
    if (start >= end) return;
    const first = this.#firstEndingAfter(start);
    let next = first;
    const rests: Interval[] = [];
    for (let piece = this.#pieces[next]; piece !== undefined && piece.start < end; piece = this.#pieces[next]) {
      if (piece.start < start) rests.push({ start: piece.start, end: start });
      if (piece.end > end) rests.push({ start: end, end: piece.end });
      this.#total -= Math.min(end, piece.end) - Math.max(start, piece.start);
      next += 1;
    }
    this.#pieces.splice(first, next - first, ...rests);
  }

  /** The index of the first piece that ends after `offset`. */
  #firstEndingAfter(offset: number): number {
    let low = 0;
    let high = this.#pieces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const piece = this.#pieces[middle];
      if (piece !== undefined && piece.end <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
