// The one way in which connections to others are opened, the mirror's own and those of tunnels.
import type { Socket } from 'node:net';
import { ForbiddenAddress, type UpstreamRequest } from '../../core/upstream/fetch.ts';
import type { Address } from '../config/address.ts';
import type { Via } from '../config/via.ts';
import { type DialOptions, open } from './open.ts';
import { isForbiddenHost, lookupBy, publicOnly, type LookUp, systemLookUp } from './resolve.ts';
import { through } from './via.ts';

/** Where to. The name in lower case, or an IP address; IPv6 without brackets. `trust`: who named it, as with any request. */
export interface Destination extends Address {
  readonly trust: UpstreamRequest['trust'];
}

/** Rejects with ForbiddenAddress, the signal's reason, or the error of the system, the resolver or the proxy. */
export type Dial = (to: Destination, options: DialOptions) => Promise<Socket>;

export interface DialParts {
  /** Host -> where to dial whatever DNS says, and whatever the trust. */
  readonly resolve?: Readonly<Record<string, Address>>;
  /** Whom to ask for all other hosts. */
  readonly lookUp?: LookUp;
  /** The proxy that all is dialled through. It looks names up; its own, if that is not pinned, is looked up here. */
  readonly via?: Via | undefined;
}

export function createDial({ resolve = {}, lookUp = systemLookUp, via }: DialParts = {}): Dial {
  const pins = new Map(Object.entries(resolve));
  const lookups = { configured: lookupBy(lookUp), public: lookupBy(publicOnly(lookUp)) };
  const openVia = via && through(via, (options) => open(pins.get(via.host) ?? via, lookups.configured, options));
  return async ({ host, port, trust }, options) => {
    const pin = pins.get(host);
    if (pin === undefined && trust === 'public' && isForbiddenHost(host)) throw new ForbiddenAddress(host);
    const at = pin ?? { host, port };
    return openVia === undefined ? open(at, lookups[trust], options) : openVia(at, options);
  };
}
