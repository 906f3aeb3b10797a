// One TCP connection, to the first address of a host that answers.
import { once } from 'node:events';
import { connect, type LookupFunction, type OnReadOpts, type Socket } from 'node:net';
import type { Address } from '../config/address.ts';

export interface DialOptions {
  /** Ends the attempt; what has been opened by then is the caller's. There is no other time limit. */
  readonly signal: AbortSignal;
  /** For who reads into a buffer of his own. */
  readonly onread?: OnReadOpts | undefined;
  /** For a proxy on the way: by whom the request came that this is for, as its `Via` says. */
  readonly cameBy?: string | undefined;
}

/** As long as undici waits, too. */
const keepAliveAfter = 60_000;

/** A connection that stands. If nobody listens for its errors, its end tells of them. */
export async function open(
  { host, port }: Address,
  lookup: LookupFunction,
  { signal, onread }: DialOptions,
): Promise<Socket> {
  signal.throwIfAborted();
  const socket = connect({
    host,
    port,
    lookup,
    autoSelectFamily: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveAfter,
    ...(onread && { onread }),
  });
  // An error between here and whoever asked would end the process.
  socket.on('error', () => {});
  try {
    await once(socket, 'connect', { signal });
  } catch (error) {
    socket.destroy();
    throw signal.aborted ? signal.reason : error;
  }
  return socket;
}
