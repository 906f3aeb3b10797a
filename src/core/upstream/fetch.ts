// One HTTP exchange with an upstream. Not the web's fetch, which decodes bodies, follows redirects and cannot be told where to connect.
import type { ByteStream, Headers } from '../mirror/reply.ts';

export interface UpstreamRequest {
  readonly method: 'GET' | 'HEAD';
  /** Absolute, http or https. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /**
   * 'configured': the owner named this address, it may be anywhere. 'public': somebody else named it (a redirect, a realm):
   * the name is resolved once, every address must be public, and the one that was checked is dialled.
   */
  readonly trust: 'configured' | 'public';
}

export interface UpstreamResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Headers;
  /** Read it to the end, or `cancel`. Throws if the connection breaks, stalls, or ends before Content-Length. */
  readonly body: ByteStream;
  cancel(): void;
}

/** Throws if there is no answer: refused, reset, timed out, an address that is not allowed. */
export type Fetch = (request: UpstreamRequest) => Promise<UpstreamResponse>;

/** Decorates a Fetch. The order in which they are put together is told in one place, `compose.ts`. */
export type Wrap = (next: Fetch) => Fetch;

/** The first value of a header that may have several. */
export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' || value === undefined ? value : value[0];
}
