// HTTP to upstreams, over undici: bodies as they come, no redirects, no retries, no proxy of the environment.
import { Agent, buildConnector } from 'undici';
import { ForbiddenAddress, type Fetch, type UpstreamRequest, type UpstreamResponse } from '../core/upstream/fetch.ts';
import type { Address } from './config/address.ts';
import { Exchange } from './exchange.ts';
import { isForbiddenLiteral, publicLookup } from './resolve.ts';

/** Milliseconds. */
export interface Timeouts {
  readonly connect: number;
  /** From the request to the end of the answer's head. */
  readonly headers: number;
  /** Between two chunks of a body. */
  readonly idle: number;
}

export interface FetchOptions {
  /** Host -> where to dial instead of asking DNS. SNI and Host stay; exempt from the address check. */
  readonly resolve?: Readonly<Record<string, Address>>;
  readonly timeouts?: Partial<Timeouts>;
}

// A first endpoint that swallows packets takes two connects of these, and leaves time for the next before a client gives up
// (containerd: 30 s). Long enough for two lost SYNs.
export const usualTimeouts: Timeouts = { connect: 5000, headers: 12_000, idle: 30_000 };
const largestHead = 64 * 1024;

/** `close` breaks what still runs. Who gets an answer reads its body to the end or cancels it; else its connection stays taken. */
export function createFetch(options: FetchOptions = {}): {
  readonly fetch: Fetch;
  readonly close: () => Promise<void>;
} {
  const pins = new Map(Object.entries(options.resolve ?? {}));
  const timeouts = { ...usualTimeouts, ...options.timeouts };
  const agents = { configured: agent('configured', pins, timeouts), public: agent('public', pins, timeouts) };
  return {
    fetch: (request) => exchange(agents[request.trust], request),
    close: async () => {
      await Promise.all([agents.configured.destroy(), agents.public.destroy()]);
    },
  };
}

// Two agents, so that a connection that was dialled without a check is never used where one is due.
function agent(trust: UpstreamRequest['trust'], pins: ReadonlyMap<string, Address>, timeouts: Timeouts): Agent {
  return new Agent({
    allowH2: false,
    maxHeaderSize: largestHead,
    headersTimeout: timeouts.headers,
    bodyTimeout: timeouts.idle,
    connect: connector(trust, pins, timeouts),
  });
}

function connector(
  trust: UpstreamRequest['trust'],
  pins: ReadonlyMap<string, Address>,
  timeouts: Timeouts,
): buildConnector.connector {
  const checked = trust === 'public' ? { lookup: publicLookup() } : {};
  const dial = buildConnector({ allowH2: false, timeout: timeouts.connect, autoSelectFamily: true, ...checked });
  return (to, done) => {
    const pin = pins.get(to.hostname);
    // SNI and the certificate's name come from `to.host`, which stays.
    if (pin !== undefined) return dial({ ...to, hostname: pin.host, port: String(pin.port) }, done);
    if (trust === 'public' && isForbiddenLiteral(to.hostname)) return done(new ForbiddenAddress(to.hostname), null);
    return dial(to, done);
  };
}

function exchange(through: Agent, { method, url, headers, body, signal }: UpstreamRequest): Promise<UpstreamResponse> {
  const { origin, pathname, search } = new URL(url);
  const one = new Exchange(signal);
  if (!signal.aborted) through.dispatch({ origin, path: pathname + search, method, headers, body }, one);
  return one.answer;
}
