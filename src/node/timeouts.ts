// How long an upstream may take for what it does.

/** Milliseconds. */
export interface Timeouts {
  /** From the name to the end of TLS' handshake. */
  readonly connect: number;
  /** From the request to the end of the answer's head. */
  readonly headers: number;
  /** Between two chunks of a body. */
  readonly idle: number;
}

// A first endpoint that swallows packets takes two connects of these, and leaves time for the next before a client gives up
// (containerd: 30 s). Long enough for two lost SYNs.
export const usualTimeouts: Timeouts = { connect: 5000, headers: 12_000, idle: 30_000 };
