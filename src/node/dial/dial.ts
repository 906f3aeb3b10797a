// The one way in which connections to others are opened, the mirror's own and those of tunnels.
import { once } from 'node:events';
import { connect, type OnReadOpts, type Socket } from 'node:net';
import { ForbiddenAddress, type UpstreamRequest } from '../../core/upstream/fetch.ts';
import type { Address } from '../config/address.ts';
import { isForbiddenLiteral, publicLookup } from './resolve.ts';

/** Where to. The name in lower case, or an IP address; IPv6 without brackets. `trust`: who named it, as with any request. */
export interface Destination extends Address {
  readonly trust: UpstreamRequest['trust'];
}

export interface DialOptions {
  /** Ends the attempt; what has been opened by then is the caller's. */
  readonly signal: AbortSignal;
  /** For who reads into a buffer of his own. */
  readonly onread?: OnReadOpts | undefined;
}

/**
 * A connection that stands, whose errors are told by its end alone if nobody listens for them. Rejects with ForbiddenAddress,
 * the signal's reason, or the error of the system.
 */
export type Dial = (to: Destination, options: DialOptions) => Promise<Socket>;

export interface DialParts {
  /** Host -> where to dial instead of asking DNS, whatever the trust. */
  readonly resolve?: Readonly<Record<string, Address>>;
}

export function createDial({ resolve = {} }: DialParts = {}): Dial {
  const pins = new Map(Object.entries(resolve));
  const checked = publicLookup();
  return async (to, options) => {
    const pin = pins.get(to.host);
    if (pin !== undefined) return open({ host: pin.host, port: pin.port }, options);
    const { host, port } = to;
    if (to.trust === 'configured') return open({ host, port }, options);
    if (isForbiddenLiteral(host)) throw new ForbiddenAddress(host);
    return open({ host, port, lookup: checked }, options);
  };
}

/** As long as undici waits, too. */
const keepAliveAfter = 60_000;

async function open(to: Address & { lookup?: ReturnType<typeof publicLookup> }, options: DialOptions): Promise<Socket> {
  const { signal, onread } = options;
  signal.throwIfAborted();
  const keepAlive = { keepAlive: true, keepAliveInitialDelay: keepAliveAfter };
  const socket = connect({ ...to, ...keepAlive, noDelay: true, autoSelectFamily: true, ...(onread && { onread }) });
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
