// One HTTP exchange with an upstream. Not the web's fetch, which decodes bodies, follows redirects and cannot be told where to connect.
import type { ByteStream, Headers } from '../mirror/reply.ts';
import { RegistryError, Unreachable } from '../oci/errors.ts';

export interface UpstreamRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  /** Absolute, http or https. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of a POST: a form. */
  readonly body?: string;
  readonly signal: AbortSignal;
  /**
   * 'configured': the owner named this address, it may be anywhere. 'public': somebody else named it (a redirect, a realm):
   * the name is resolved once, every address must be public, and the one that was checked is dialled.
   */
  readonly trust: 'configured' | 'public';
  /** Authorities (PEM) that are believed beside the system's, if the trust is 'configured'. */
  readonly ca?: string | undefined;
}

export interface UpstreamResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Headers;
  /** Read it to the end, or `cancel`. Throws if the connection breaks, stalls, or ends before Content-Length. */
  readonly body: ByteStream;
  cancel(): void;
}

/** A name that somebody else chose leads to an address that is not public. Nothing was dialled. */
export class ForbiddenAddress extends RegistryError {
  constructor(host: string) {
    super('UNAVAILABLE', `${host} has no public address`, { status: 502 });
    this.name = 'ForbiddenAddress';
  }
}

/** Who answers there cannot show that he is who he says. `code`: why. */
export class UnbelievedCertificate extends Unreachable {
  constructor(host: string, code: string, cause: unknown) {
    super(`${host} shows a certificate that is not believed (${code})`, cause);
    this.name = 'UnbelievedCertificate';
  }
}

/** Throws if there is no answer: refused, reset, timed out; UnbelievedCertificate, ForbiddenAddress, or the signal's reason. */
export type Fetch = (request: UpstreamRequest) => Promise<UpstreamResponse>;

/** Decorates a Fetch. The order in which they are put together is told in one place, `compose.ts`. */
export type Wrap = (next: Fetch) => Fetch;

/** The first value of a header that may have several. */
export function header(headers: Headers, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' || value === undefined ? value : value[0];
}
