// Where bytes wait in the relay: for their turn, and for the delay to pass.

/** Chunks in, as many bytes as are wanted out. */
export class ByteQueue {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;

  get size(): number {
    return this.#bytes;
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** At most `bytes`, and no more than there are. */
  take(bytes: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let left = Math.min(bytes, this.#bytes);
    this.#bytes -= left;
    while (left > 0) {
      const [first = new Uint8Array()] = this.#chunks;
      taken.push(first.subarray(0, left));
      if (first.length <= left) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(left);
      left -= Math.min(first.length, left);
    }
    return taken;
  }
}

/** Things that happen in the order in which they were put in, none before its time. */
export class DelayLine {
  readonly #delay: number;
  readonly #entries: { readonly due: number; readonly act: () => void }[] = [];

  constructor(delay: number) {
    this.#delay = delay;
  }

  get empty(): boolean {
    return this.#entries.length === 0;
  }

  push(now: number, act: () => void): void {
    this.#entries.push({ due: now + this.#delay, act });
  }

  run(now: number): void {
    while (this.#entries[0] !== undefined && this.#entries[0].due <= now) this.#entries.shift()?.act();
  }
}
