// Relays a client's own login to the token service of the registry that it is for, and to nobody else.
import type { Clock } from '../mirror/ports.ts';
import { RegistryError } from '../oci/errors.ts';
import { drain } from './body.ts';
import type { Bounded } from './bounded.ts';
import { demandOf } from './demand.ts';
import { refusal } from './failure.ts';
import type { Fetch, UpstreamRequest, UpstreamResponse } from './fetch.ts';
import type { RegistrableDomain } from './realm.ts';
import type { Registries, Registry } from './registries.ts';
import { type Grant, type Issuer, readToken, tokenHeaders } from './tokens.ts';

/** What a client wants a token for, and how it shows who it is (distribution, token and OAuth2 authentication). */
export interface Relayed {
  readonly registry: string;
  /** In the registry's own words: `repository:library/alpine:pull`. None: whether the login is good. */
  readonly scopes: readonly string[];
  /** Further parameters that are the token service's to understand. */
  readonly parameters: readonly (readonly [name: string, value: string])[];
  readonly login:
    | { readonly kind: 'header'; readonly authorization: string }
    /** Name and password, or a refresh token, as a form has them. */
    | { readonly kind: 'form'; readonly fields: readonly (readonly [name: string, value: string])[] };
}

/**
 * Throws UNAUTHORIZED if the login is wrong, TOOMANYREQUESTS, UNAVAILABLE; UNSUPPORTED (404) for a form where the token service
 * takes none: clients then come with a header.
 */
export type Relay = (relayed: Relayed, signal: AbortSignal) => Promise<Grant>;

export interface RelayParts {
  readonly registries: Registries;
  readonly issuers: Bounded<Issuer>;
  readonly registrableDomain: RegistrableDomain;
  readonly clock: Clock;
  readonly userAgent: string;
  /** Without redirects: a token service has no business to send a login elsewhere. */
  readonly asking: (registry: Registry) => Fetch;
}

export function createRelay(parts: RelayParts): Relay {
  return async (relayed, signal) => {
    const registry = parts.registries.find(relayed.registry);
    if (registry === undefined) throw new RegistryError('NAME_UNKNOWN', `${relayed.registry} is not configured`);
    const ask = parts.asking(registry);
    const { endpoint, issuer } = await issuerOf(registry, ask, parts, signal);
    const response = await ask(requestFor(issuer, relayed, parts.userAgent, signal));
    const { host } = new URL(issuer.realm);
    if (response.status === 200) return readToken(response, host, parts.clock);
    void drain(response);
    // It may have moved: the next request asks the endpoint again.
    parts.issuers.delete(endpoint);
    if (relayed.login.kind === 'form' && [400, 404, 405, 501].includes(response.status)) {
      throw new RegistryError('UNSUPPORTED', `${host} takes no POST for a token`, { status: 404 });
    }
    throw refusal(host, response, parts.clock.now());
  };
}

/** Of the first endpoint that answers. */
async function issuerOf(
  registry: Registry,
  ask: Fetch,
  parts: RelayParts,
  signal: AbortSignal,
): Promise<{ readonly endpoint: string; readonly issuer: Issuer }> {
  let failure: unknown;
  for (const endpoint of registry.endpoints) {
    const known = parts.issuers.get(endpoint);
    if (known !== undefined) return { endpoint, issuer: known };
    try {
      const issuer = await learn(registry, endpoint, ask, parts, signal);
      parts.issuers.set(endpoint, issuer);
      return { endpoint, issuer };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof RegistryError && error.passing)) throw error;
      failure ??= error;
    }
  }
  throw failure;
}

async function learn(
  registry: Registry,
  endpoint: string,
  ask: Fetch,
  parts: RelayParts,
  signal: AbortSignal,
): Promise<Issuer> {
  const url = `${endpoint.replace(/\/+$/, '')}/v2/`;
  const headers = tokenHeaders(parts.userAgent);
  const response = await ask({ method: 'GET', url, headers, signal, trust: 'configured' });
  void drain(response);
  if (response.status === 401) {
    const { realm, service, trust } = demandOf(
      response,
      { registry, endpoint, name: '', credentials: undefined },
      parts.registrableDomain,
    );
    return { realm, service, trust };
  }
  throw failureOf(response, new URL(url).host, parts.clock.now());
}

function failureOf(response: UpstreamResponse, host: string, now: number): RegistryError {
  return response.status === 200
    ? new RegistryError('UNAUTHORIZED', `${host} takes no login`)
    : refusal(host, response, now);
}

function requestFor(issuer: Issuer, relayed: Relayed, userAgent: string, signal: AbortSignal): UpstreamRequest {
  const { login, parameters, scopes } = relayed;
  const url = new URL(issuer.realm);
  const service = issuer.service === undefined ? [] : [['service', issuer.service] as const];
  const asked = [...service, ...parameters];
  const common = { signal, trust: issuer.trust };
  if (login.kind === 'form') {
    const form = new URLSearchParams();
    for (const [name, value] of [...asked, ...login.fields]) form.append(name, value);
    if (scopes.length > 0) form.append('scope', scopes.join(' '));
    const headers = { ...tokenHeaders(userAgent), 'content-type': 'application/x-www-form-urlencoded' };
    return { method: 'POST', url: url.href, headers, body: form.toString(), ...common };
  }
  for (const [name, value] of asked) url.searchParams.append(name, value);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const headers = { ...tokenHeaders(userAgent), authorization: login.authorization };
  return { method: 'GET', url: url.href, headers, ...common };
}
