// HTTP to upstreams, over workerd's fetch: no redirects, no cache, bodies as they come.
import { ForbiddenAddress, type Fetch } from '../core/upstream/fetch.ts';
import { isAddress } from '../core/upstream/realm.ts';

/** Milliseconds to the end of an answer's head. A body has no limit of ours: nobody looks at it. */
const headWithin = 12_000;

/**
 * Here no address can be looked at before it is dialled; but from the edge nothing is in reach that is not public, unless it
 * is named by its address.
 */
export const fetchUpstream: Fetch = async ({ method, url, headers, body: form, signal, trust }) => {
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
    const body = answer.body ?? nothing();
    return {
      status: answer.status,
      headers: Object.fromEntries(answer.headers),
      body,
      cancel: () => void body.cancel().catch(() => undefined),
    };
  } finally {
    clearTimeout(timer);
  }
};

function nothing(): ReadableStream<Uint8Array> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
