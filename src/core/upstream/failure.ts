// What an upstream's failure is to whoever asked us: one sentence, with the host and without anything secret.
import { NoSenseOfRange, RegistryError, Unreachable } from '../oci/errors.ts';
import { type UpstreamResponse, header } from './fetch.ts';
import { sourceIn } from './limits.ts';
import { retryAfter } from '../oci/retry-after.ts';

/** No answer, or one that broke off. Worth another try, and 503 for that reason. `others` can be asked in its place. */
export function unreachable(host: string, cause: unknown, others = 0): Unreachable {
  return new Unreachable(`${host} cannot be reached, or broke off`, cause, others);
}

/** An answer that makes no sense. */
export function nonsense(host: string, what: string): RegistryError {
  return new RegistryError('UNAVAILABLE', `${host} ${what}`, { status: 502 });
}

/** What the configuration has for a token service is not what that takes: nothing that a client could change. */
export class RefusedCredentials extends RegistryError {
  /** What it answered. */
  readonly answered: number;

  constructor(host: string, status: number) {
    const message = `${host} answered ${status} to the credentials that the configuration has for it`;
    super('UNAVAILABLE', message, { status: 502 });
    this.answered = status;
  }
}

/**
 * A status that is not the answer. `now`: milliseconds since 1970. `renewal`: milliseconds after which who limits us is thought to
 * do so no longer, if it does not say.
 */
export function refusal(host: string, response: UpstreamResponse, now: number, renewal?: number): RegistryError {
  const { status } = response;
  const message = `${host} answered ${status}`;
  if (status === 401) return new RegistryError('UNAUTHORIZED', message);
  if (status === 403 || status === 451) return new RegistryError('DENIED', message);
  if (status === 400) return new NoSenseOfRange(message);
  if (status === 429) return limited(host, response, now, renewal);
  if (status >= 500) return new RegistryError('UNAVAILABLE', message, { headers: kept(response, now) });
  return new RegistryError('UNAVAILABLE', message, { status: 502 });
}

/** Says who limits and, where that tells it (Docker Hub), whom it counts: for a Worker that is an address shared with strangers. */
function limited(host: string, response: UpstreamResponse, now: number, renewal: number | undefined): RegistryError {
  const source = sourceIn(response.headers);
  const whom = source === undefined ? '' : `: it counts the requests of ${source}`;
  return new RegistryError('TOOMANYREQUESTS', `${host} answered 429${whom}`, {
    headers: kept(response, now, renewal),
    detail: { limitedBy: host, ...(source !== undefined && { source }) },
  });
}

const aDay = 86_400_000;

function kept(response: UpstreamResponse, now: number, renewal?: number): Record<string, string> {
  const wait = retryAfter(header(response.headers, 'retry-after'), now) ?? renewal;
  return wait === undefined ? {} : { 'retry-after': String(Math.ceil(Math.min(wait, aDay) / 1000)) };
}
