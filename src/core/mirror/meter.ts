// How fast a lane is just now: bytes over the last half second to second.

/** Milliseconds: long enough for a connection's first burst to be over, short enough to help one that is slow. */
const window = 500;

interface Mark {
  readonly time: number;
  readonly bytes: number;
}

export class Meter {
  #older: Mark;
  #newer: Mark;

  /** To be made when the first byte comes, so that the wait for it is not counted as slowness. */
  constructor(time: number, bytes: number) {
    this.#older = { time, bytes };
    this.#newer = this.#older;
  }

  note(time: number, bytes: number): void {
    if (time - this.#newer.time < window) return;
    this.#older = this.#newer;
    this.#newer = { time, bytes };
  }

  /** Bytes for each millisecond; undefined before there is a window's worth to tell by. A lane that stalls sinks to 0. */
  rate(time: number, bytes: number): number | undefined {
    const elapsed = time - this.#older.time;
    return elapsed < window ? undefined : (bytes - this.#older.bytes) / elapsed;
  }
}
