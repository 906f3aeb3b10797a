// What a link is like, and what went over it.

/** What is left out is without limit, without delay, without fault. */
export interface Shape {
  /** Milliseconds. A new connection costs one before its first byte, and every request one. */
  readonly roundTrip?: number;
  /** Bytes per second towards the client: of one connection, and of all of them together. */
  readonly each?: number;
  readonly all?: number;
  /** Bytes after which a connection is reset, on average: at an offset of its own, exponentially distributed, from the seed. */
  readonly resetEvery?: number;
  readonly seed?: number;
}

export interface Counts {
  /** Towards the client, heads of answers included. Those that were on their way when a connection broke count too. */
  readonly bytes: number;
  readonly connections: number;
  /** The most that were open at once. */
  readonly most: number;
  readonly resets: number;
}
