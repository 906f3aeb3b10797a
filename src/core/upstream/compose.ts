// How one exchange with a registry is put together, and in which order.
//
// From the outside in:
//   auth       shows a token or the caller's login. Outermost, so that it speaks to the endpoint and never to where that
//              redirects, and so that its second try has all of its retries.
//   retry      asks again after a stumble. Outside of redirects: a CDN's failure is met with a new redirect, newly signed.
//   redirects  follows by hand. Each hop is checked, and none but the endpoint's own origin sees the authorization.
//   hearing    takes note of what the endpoint itself tells of its limits, at each try.
//   patience   ends a body that stalls, where it is one that is read whole.
//   observed   tells of each hop, and gives its failure a name. So far inside, for only here it is known which host it was.
//   authorities  adds the registry's own to those that are believed, at each hop that the owner has named.
// Token services are asked through retry, patience and observed only: they have no business to redirect. They see our credentials, or a
// client's login that is relayed.
import type { MirrorEvent, Report } from '../mirror/events.ts';
import type { Clock } from '../mirror/ports.ts';
import { RegistryError } from '../oci/errors.ts';
import { withAuth } from './auth.ts';
import type { Guarded } from './demand.ts';
import { unreachable } from './failure.ts';
import type { Fetch, UpstreamResponse, Wrap } from './fetch.ts';
import type { UpstreamMemory } from './memory.ts';
import type { RegistrableDomain } from './realm.ts';
import { withPatience } from './patience.ts';
import { withRedirects } from './redirect.ts';
import type { Registry } from './registries.ts';
import { withRetry } from './retry.ts';
import type { Stalls } from './stalls.ts';
import { Tokens } from './tokens.ts';

export interface ExchangeParts {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** At least 0, below 1. */
  readonly random: () => number;
  readonly registrableDomain: RegistrableDomain;
  readonly report: Report;
  readonly userAgent: string;
  readonly memory: UpstreamMemory;
  /** Of whoever gives none, the transport's own limit is all. */
  readonly stalls?: Stalls | undefined;
}

export type What = Extract<MirrorEvent, { kind: 'asked' }>['what'];

/** Who is asked, and for what. */
export interface Errand extends Guarded {
  readonly what: What;
  /** Is told what the endpoint itself has answered, and not whom that redirects to. */
  readonly heard?: ((response: UpstreamResponse) => void) | undefined;
}

export function createExchanges(parts: ExchangeParts): (errand: Errand) => Fetch {
  const { issuers } = parts.memory;
  const tokens = new Tokens(parts.memory.tokens, parts.clock, parts.userAgent);
  const askIssuer = createIssuerFetch(parts);
  const retry = withRetry(parts.clock, parts.random);
  return (errand) => {
    const { registry, what } = errand;
    const observed = outwards(registry, what, parts);
    const patient = what === 'blob' ? observed : withPatience(parts.stalls, registry.name)(observed);
    const { registrableDomain } = parts;
    const auth = withAuth(errand, { tokens, issuers, registrableDomain, fetch: askIssuer(registry) });
    return auth(retry(withRedirects(registry, what === 'blob', parts.report)(withHearing(errand)(patient))));
  };
}

function withHearing({ endpoint, heard }: Errand): Wrap {
  if (heard === undefined) return (next) => next;
  const { origin } = new URL(endpoint);
  return (next) => async (request) => {
    const response = await next(request);
    if (new URL(request.url).origin === origin) heard(response);
    return response;
  };
}

/** For the token services of a registry. */
export function createIssuerFetch(parts: ExchangeParts): (registry: Registry) => Fetch {
  const retry = withRetry(parts.clock, parts.random);
  return (registry) => retry(withPatience(parts.stalls, registry.name)(outwards(registry, 'token', parts)));
}

function outwards(registry: Registry, what: What, parts: ExchangeParts): Fetch {
  return withObservation(registry.name, what, parts)(withAuthorities(registry)(parts.fetch));
}

/** Of what the owner has not named himself, nobody private is believed. */
function withAuthorities({ ca }: Registry): Wrap {
  if (ca === undefined) return (next) => next;
  return (next) => (request) => next(request.trust === 'configured' ? { ...request, ca } : request);
}

/** Reports each exchange. Throws UNAVAILABLE (503) for whatever keeps an answer from coming, and the signal's reason. */
function withObservation(registry: string, what: What, { clock, report }: ExchangeParts): Wrap {
  return (next) => async (request) => {
    const { host } = new URL(request.url);
    const begun = clock.now();
    const told = { kind: 'asked', registry, host, what, method: request.method } as const;
    try {
      const response = await next(request);
      report({ ...told, status: response.status, ms: clock.now() - begun });
      return response;
    } catch (error) {
      report({ ...told, status: undefined, ms: clock.now() - begun, error });
      request.signal.throwIfAborted();
      throw error instanceof RegistryError ? error : unreachable(host, error);
    }
  };
}
