// Domains below which anybody can have a name: such a name is never learned, because it says nothing about whose it is.
import { parse } from 'tldts';

/** Not all of their parts are in the list of public suffixes. */
const clouds = ['amazonaws.com', 'cloudfront.net', 'googleapis.com', 'windows.net', 'r2.cloudflarestorage.com'];

/** Also what is no name below a public suffix at all: addresses, single labels, suffixes themselves, top-level domains that nobody knows. */
export function shared(host: string): boolean {
  if (clouds.some((domain) => host === domain || host.endsWith(`.${domain}`))) return true;
  const { domain, isIcann } = parse(host, { allowPrivateDomains: true });
  return domain === null || isIcann !== true;
}
