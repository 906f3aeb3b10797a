// Whether an answer is for anybody. An endpoint with an account's secret in its URL is another sampan, which opens to us what that
// account may have: that it answers says nothing of who else may have it, but it says how it came by the answer.
import type { Asker } from '../access/caller.ts';
import { RegistryError } from '../oci/errors.ts';
import { holdsSecret } from '../oci/redact.ts';
import { type UpstreamResponse, header } from './fetch.ts';

/** Its own words, which stand first (RFC 9211, section 2): not `fwd=bypass`, which is for this account alone. */
const forAnybody = /^sampan; (?:hit|fwd=miss)\b/;

const unjudged = /^sampan; fwd=bypass; detail=limited\b/;

/**
 * True for what an account's secret has opened, as far as anybody can tell, and was not asked for in our own name: a client's login
 * is not what opens there.
 */
export function isPrivate(endpoint: string, as: Asker, { status, headers }: UpstreamResponse): boolean {
  const isOurs = as.ours === true && as.isPublic !== true;
  const isContent = status === 200 || status === 206;
  if (isOurs || !isContent || !holdsSecret(endpoint)) return false;
  return !forAnybody.test(header(headers, 'cache-status') ?? '');
}

/** Where that account is all that the other sampan can ask for just now, it is limited and has not judged. */
export function notPublic(host: string, { headers }: UpstreamResponse): RegistryError {
  if (unjudged.test(header(headers, 'cache-status') ?? '')) {
    return new RegistryError('TOOMANYREQUESTS', `${host} is limited and cannot tell whether this is public`, {
      detail: { limitedBy: host },
    });
  }
  return new RegistryError('DENIED', `${host} does not say that this is public`);
}
