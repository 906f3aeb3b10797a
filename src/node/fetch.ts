// HTTP to upstreams, over undici: bodies as they come, no redirects, no retries, no proxy of the environment.
import { Agent } from 'undici';
import type { Fetch, UpstreamRequest, UpstreamResponse } from '../core/upstream/fetch.ts';
import { connector } from './dial/connector.ts';
import { createDial, type Dial } from './dial/dial.ts';
import { Exchange } from './exchange.ts';

/** Milliseconds. */
export interface Timeouts {
  /** From the name to the end of TLS' handshake. */
  readonly connect: number;
  /** From the request to the end of the answer's head. */
  readonly headers: number;
  /** Between two chunks of a body. */
  readonly idle: number;
}

export interface FetchOptions {
  readonly dial?: Dial;
  readonly timeouts?: Partial<Timeouts>;
  /** Speak HTTP/2 with who can; blobs come faster without. */
  readonly http2?: boolean;
}

// A first endpoint that swallows packets takes two connects of these, and leaves time for the next before a client gives up
// (containerd: 30 s). Long enough for two lost SYNs.
export const usualTimeouts: Timeouts = { connect: 5000, headers: 12_000, idle: 30_000 };
const largestHead = 64 * 1024;

/** `close` breaks what still runs. Who gets an answer reads its body to the end or cancels it; else its connection stays taken. */
export function createFetch({ dial = createDial(), http2 = false, ...options }: FetchOptions = {}): {
  readonly fetch: Fetch;
  readonly close: () => Promise<void>;
  /** Whether no connection is open or being opened. */
  readonly isIdle: () => boolean;
} {
  const timeouts = { ...usualTimeouts, ...options.timeouts };
  const agent = (trust: UpstreamRequest['trust']): Agent =>
    new Agent({
      allowH2: http2,
      maxHeaderSize: largestHead,
      headersTimeout: timeouts.headers,
      bodyTimeout: timeouts.idle,
      connect: connector(dial, { trust, timeout: timeouts.connect, http2 }),
    });
  // Two, so that a connection that was dialled without a check is never used where one is due.
  const agents = { configured: agent('configured'), public: agent('public') };
  return {
    fetch: (request) => exchange(agents[request.trust], request),
    close: async () => {
      await Promise.all([agents.configured.destroy(), agents.public.destroy()]);
    },
    // An agent forgets an origin with its last connection.
    isIdle: () => Object.values(agents).every(({ stats }) => Object.keys(stats).length === 0),
  };
}

function exchange(through: Agent, { method, url, headers, body, signal }: UpstreamRequest): Promise<UpstreamResponse> {
  const { origin, pathname, search } = new URL(url);
  const one = new Exchange(signal);
  if (!signal.aborted) through.dispatch({ origin, path: pathname + search, method, headers, body }, one);
  return one.answer;
}
