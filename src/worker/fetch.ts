// HTTP to upstreams, over workerd's fetch: no redirects, no cache, bodies as they come, and not too often.
import { ForbiddenAddress, type Fetch } from '../core/upstream/fetch.ts';
import { RegistryError } from '../core/oci/errors.ts';
import { isAddress } from '../core/upstream/realm.ts';

/** Milliseconds to the end of an answer's head. Of bodies only those have a limit that are read here: the others nobody looks at. */
const headWithin = 12_000;
/** For one request. On the free plan Cloudflare ends one at 50 subrequests; what is kept at the edge takes some of them. */
const mostExchanges = 30;

/** Of one request: however its upstreams send us about, it ends with an answer of ours. */
export function createFetch(): Fetch {
  let exchanges = 0;
  return async (request) => {
    exchanges += 1;
    if (exchanges <= mostExchanges) return fetchUpstream(request);
    const message = `upstreams wanted more than the ${mostExchanges} steps that a Worker has for a request`;
    throw new RegistryError('UNAVAILABLE', message, { status: 502 });
  };
}

/**
 * Here no address can be looked at before it is dialled; but from the edge nothing is in reach that is not public, unless it
 * is named by its address.
 */
const fetchUpstream: Fetch = async ({ method, url, headers, body: form, signal, trust }) => {
  const { hostname } = new URL(url);
  if (trust === 'public' && isAddress(hostname)) throw new ForbiddenAddress(hostname);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error('there was no answer in time')), headWithin);
  try {
    const answer = await fetch(url, {
      method,
      headers,
      ...(form !== undefined && { body: form }),
      redirect: 'manual',
      // Cloudflare's cache would turn a HEAD into a GET, which Docker Hub counts.
      cache: 'no-store',
      signal: AbortSignal.any([signal, late.signal]),
    });
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body: answer.body ?? nothing(),
      // Not by way of the body: whoever waits for its next bytes has locked it.
      cancel: () => late.abort(new Error('nobody wants the rest')),
    };
  } finally {
    clearTimeout(timer);
  }
};

function nothing(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
