// Everything that goes out, put together as the configuration wants it: names, pins, an upstream proxy.
import type { Clock } from '../core/mirror/ports.ts';
import type { Fetch } from '../core/upstream/fetch.ts';
import type { Config } from './config/config.ts';
import { createDial, type Dial } from './dial/dial.ts';
import { createDoh } from './dial/doh.ts';
import { createFetchWhenAsked } from './fetch-when-asked.ts';
import type { Timeouts } from './timeouts.ts';

export interface Outbound {
  readonly dial: Dial;
  readonly fetch: Fetch;
  /** Breaks what `fetch` still has to do. */
  close(): Promise<void>;
  /** Whether `fetch` has no connection, and needs none just now. */
  isIdle(): boolean;
}

/** Values alone, which can be compared. */
export interface Way extends Pick<Config, 'resolve' | 'dns' | 'via'> {
  readonly timeouts: Partial<Timeouts>;
}

export function createOutbound({ resolve, dns, via, timeouts }: Way, clock: Clock): Outbound {
  if (dns === undefined) {
    const dial = createDial({ resolve, via });
    return { dial, ...createFetchWhenAsked({ dial, timeouts }) };
  }
  // The resolver's own name is pinned, or looked up by the system. It may speak HTTP/2 only.
  const resolver = createFetchWhenAsked({ dial: createDial({ resolve }), http2: true });
  const dial = createDial({ resolve, lookUp: createDoh({ url: dns, fetch: resolver.fetch, clock }) });
  const { fetch, close, isIdle } = createFetchWhenAsked({ dial, timeouts });
  return {
    dial,
    fetch,
    close: async () => void (await Promise.all([close(), resolver.close()])),
    isIdle: () => isIdle() && resolver.isIdle(),
  };
}
