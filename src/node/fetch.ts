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
  const open = (trust: UpstreamRequest['trust'], ca?: string): Agent =>
    new Agent({
      allowH2: http2,
      maxHeaderSize: largestHead,
      headersTimeout: timeouts.headers,
      bodyTimeout: timeouts.idle,
      connect: connector(dial, { trust, ca, timeout: timeouts.connect, http2 }),
    });
  // One for each way to trust, so that no connection is used where it would not have been made: one that was dialled without a check,
  // or for which another registry's authority stands.
  const checked = open('public');
  const configured = new Map<string | undefined, Agent>([[undefined, open('configured')]]);
  function agentFor({ trust, ca }: UpstreamRequest): Agent {
    if (trust === 'public') return checked;
    const known = configured.get(ca);
    if (known !== undefined) return known;
    // Authorities are exchanged when the configuration is read anew.
    for (const [each, agent] of configured) if (each !== undefined && isUnused(agent)) configured.delete(each);
    const agent = open('configured', ca);
    configured.set(ca, agent);
    return agent;
  }
  const agents = () => [checked, ...configured.values()];
  return {
    fetch: (request) => exchange(agentFor(request), request),
    close: async () => void (await Promise.all(agents().map((agent) => agent.destroy()))),
    isIdle: () => agents().every(isUnused),
  };
}

/** It forgets an origin with its last connection. */
function isUnused({ stats }: Agent): boolean {
  return Object.keys(stats).length === 0;
}

function exchange(through: Agent, { method, url, headers, body, signal }: UpstreamRequest): Promise<UpstreamResponse> {
  const { origin, pathname, search } = new URL(url);
  const one = new Exchange(signal);
  if (!signal.aborted) through.dispatch({ origin, path: pathname + search, method, headers, body }, one);
  return one.answer;
}
