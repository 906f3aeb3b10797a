// HTTP to upstreams, over undici: bodies as they come, no redirects, no retries, no proxy of the environment.
import { Agent } from 'undici';
import type { Fetch, UpstreamRequest, UpstreamResponse } from '../core/upstream/fetch.ts';
import { connector } from './dial/connector.ts';
import { createDial, type Dial } from './dial/dial.ts';
import { Exchange } from './exchange.ts';
import { type Timeouts, usualTimeouts } from './timeouts.ts';

export interface FetchOptions {
  readonly dial?: Dial;
  readonly timeouts?: Partial<Timeouts>;
  /** Speak HTTP/2 with who can; blobs come faster without. */
  readonly http2?: boolean;
}

const largestHead = 64 * 1024;

export interface Fetching {
  /** Who gets an answer reads its body to the end or cancels it; else its connection stays taken. */
  readonly fetch: Fetch;
  /** Breaks what still runs. */
  readonly close: () => Promise<void>;
  /** Whether no connection is open or being opened. */
  readonly isIdle: () => boolean;
}

export function createFetch({ dial = createDial(), http2 = false, ...options }: FetchOptions = {}): Fetching {
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
