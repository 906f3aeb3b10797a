// Redirects, followed by hand: each hop is checked before it is taken, and credentials stay where they belong.
import type { Report } from '../mirror/events.ts';
import { RefusedElsewhere, RegistryError } from '../oci/errors.ts';
import { drain } from './body.ts';
import { nonsense } from './failure.ts';
import { ForbiddenAddress, type UpstreamRequest, type UpstreamResponse, type Wrap, header } from './fetch.ts';
import type { Registry } from './registries.ts';

const mostHops = 5;
const redirecting = new Set([301, 302, 303, 307, 308]);

/**
 * Throws UNAVAILABLE (502) for a redirect that is not allowed, and RefusedElsewhere (502) for one that leads to a refusal.
 */
export function withRedirects(registry: Registry, forBlob: boolean, report: Report): Wrap {
  return (next) => async (request) => {
    let current = request;
    for (let hops = 0; ; hops += 1) {
      const response = await next(current).catch((error: unknown) => {
        throw hops > 0 && error instanceof ForbiddenAddress ? refused(registry, new URL(current.url), error) : error;
      });
      const location = redirecting.has(response.status) ? header(response.headers, 'location') : undefined;
      if (location === undefined) {
        return sameOrigin(current.url, request.url) ? response : fromElsewhere(response, current, forBlob);
      }
      void drain(response);
      if (hops === mostHops) throw nonsense(new URL(request.url).host, `redirected more than ${mostHops} times`);
      const target = redirected(current, location, registry);
      if (isFirstHand(current.url, target.url, registry)) {
        report({ kind: 'redirected', registry: registry.name, host: new URL(target.url).hostname });
      }
      current = target;
    }
  };
}

function redirected(request: UpstreamRequest, location: string, registry: Registry): UpstreamRequest {
  if (!URL.canParse(location, request.url)) throw nonsense(new URL(request.url).host, 'redirected to what is no URL');
  const target = new URL(location, request.url);
  target.hash = '';
  const trust = trustOf(target, registry);
  if (trust === undefined) throw refused(registry, target);
  // Dropped for good: later hops are made from this one, also those that lead back (RFC 9110, section 15.4).
  const { authorization: _, ...others } = request.headers;
  const headers = sameOrigin(target.href, request.url) ? request.headers : others;
  return { ...request, url: target.href, headers, trust };
}

function trustOf(target: URL, registry: Registry): UpstreamRequest['trust'] | undefined {
  if (target.username !== '' || target.password !== '') return undefined;
  const allowed = [...registry.endpoints, ...registry.mirrors, ...registry.redirects];
  if (allowed.some((url) => sameOrigin(url, target.href))) return 'configured';
  return target.protocol === 'https:' && target.port === '' ? 'public' : undefined;
}

/** From an endpoint, not by way of somebody to whom that redirected, to https on its customary port elsewhere. */
function isFirstHand(from: string, to: string, { endpoints }: Registry): boolean {
  const { protocol, port } = new URL(to);
  const isElsewhere = !sameOrigin(from, to) && protocol === 'https:' && port === '';
  return isElsewhere && endpoints.some((url) => sameOrigin(url, from));
}

function sameOrigin(one: string, other: string): boolean {
  return new URL(one).origin === new URL(other).origin;
}

/** Names the target without path and query, which may carry a signature. */
function refused(registry: Registry, target: URL, cause?: unknown): RegistryError {
  const origin = `${target.protocol}//${target.host}`;
  const hint = `if that is right, add it to the registry's configuration: redirects: ["${origin}"]`;
  const message = `${registry.name} redirected to ${origin}, which is not allowed; ${hint}`;
  return new RegistryError('UNAVAILABLE', message, { status: 502, cause });
}

/** For a blob a registry redirects to where it has put it: that it is not there is no word of the registry's. */
function fromElsewhere(response: UpstreamResponse, { url }: UpstreamRequest, forBlob: boolean): UpstreamResponse {
  const { status } = response;
  const isLost = forBlob && (status === 404 || status === 410);
  if (status !== 401 && status !== 403 && !isLost) return response;
  void drain(response);
  const message = `${new URL(url).host}, where the registry redirected to, answered ${status}`;
  throw new RefusedElsewhere(message);
}
