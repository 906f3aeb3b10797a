// Relays a client's own login to the token service of the registry that it is for, and to nobody else.
import type { Clock } from '../mirror/ports.ts';
import { RegistryError } from '../oci/errors.ts';
import { drain } from './body.ts';
import { demandOf, wantsBasic } from './demand.ts';
import { refusal } from './failure.ts';
import type { Fetch, UpstreamRequest, UpstreamResponse } from './fetch.ts';
import type { UpstreamMemory } from './memory.ts';
import type { RegistrableDomain } from './realm.ts';
import type { Registries, Registry } from './registries.ts';
import { type Issuer, readToken, tokenHeaders } from './tokens.ts';

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

/** What opens at the registry what the login opens. */
export interface Opening {
  /** A token, or where there is no token service, the login itself. */
  readonly authorization: string;
  /** The endpoint that it is for: what one has granted, or takes itself, is nothing for another. */
  readonly grantor: string;
  /** Seconds. */
  readonly life: number;
  /** What the client may come with again, in place of its password. */
  readonly refresh: string | undefined;
}

/**
 * Throws UNAUTHORIZED if the login is wrong, TOOMANYREQUESTS, UNAVAILABLE; UNSUPPORTED (404) for a form where the token service
 * takes none: clients then come with a header.
 */
export type Relay = (relayed: Relayed, signal: AbortSignal) => Promise<Opening>;

export interface RelayParts {
  readonly registries: Registries;
  readonly memory: Pick<UpstreamMemory, 'issuers' | 'loginless'>;
  readonly registrableDomain: RegistrableDomain;
  readonly clock: Clock;
  readonly userAgent: string;
  /** Without redirects: a token service has no business to send a login elsewhere. */
  readonly asking: (registry: Registry) => Fetch;
}

/** Seconds after which a login that was tried itself is tried again. */
const usualLife = 300;

export function createRelay(parts: RelayParts): Relay {
  return async (relayed, signal) => {
    const registry = parts.registries.find(relayed.registry);
    if (registry === undefined) throw new RegistryError('NAME_UNKNOWN', `${relayed.registry} is not configured`);
    const ask = parts.asking(registry);
    const { endpoint, issuer } = await issuerOf(registry, ask, parts, signal);
    if (issuer === undefined) return tryLogin(endpoint, relayed, ask, parts, signal);
    const response = await ask(requestFor(issuer, relayed, parts.userAgent, signal));
    const { host } = new URL(issuer.realm);
    if (response.status === 200) {
      const { token, life, refresh } = await readToken(response, host, parts.clock);
      return { authorization: `Bearer ${token}`, grantor: endpoint, life, refresh };
    }
    void drain(response);
    // It may have moved: the next request asks the endpoint again.
    parts.memory.issuers.delete(endpoint);
    if (relayed.login.kind === 'form' && [400, 404, 405, 501].includes(response.status)) throw noForm(host);
    throw refusal(host, response, parts.clock.now());
  };
}

interface Found {
  readonly endpoint: string;
  /** Undefined: there is none, and the endpoint takes names and passwords itself. */
  readonly issuer: Issuer | undefined;
}

/**
 * Of the first endpoint that takes logins: theirs are the logins that clients have. Of one that cannot say, only what it said
 * before tells that it is not the one; else its failure is thrown, for the next one would be shown what is not for it.
 */
async function issuerOf(registry: Registry, ask: Fetch, parts: RelayParts, signal: AbortSignal): Promise<Found> {
  const { issuers, loginless } = parts.memory;
  let failure: RegistryError | undefined;
  for (const endpoint of registry.endpoints) {
    const known = issuers.get(endpoint);
    if (known !== undefined) return { endpoint, issuer: known };
    try {
      const found = await learn(registry, endpoint, ask, parts, signal);
      if (found === undefined) loginless.set(endpoint, true);
      else loginless.delete(endpoint);
      if (found?.issuer !== undefined) issuers.set(endpoint, found.issuer);
      if (found !== undefined) return found;
    } catch (error) {
      signal.throwIfAborted();
      if (loginless.get(endpoint) !== true || !(error instanceof RegistryError && error.passing)) throw error;
      failure ??= error;
    }
  }
  throw failure ?? new RegistryError('UNAUTHORIZED', `${registry.name} takes no login`);
}

/** Undefined for an endpoint that takes no logins. */
async function learn(
  registry: Registry,
  endpoint: string,
  ask: Fetch,
  parts: RelayParts,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const response = await ping(endpoint, undefined, ask, parts, signal);
  if (response.status === 200) return undefined;
  if (response.status !== 401) throw refusal(new URL(endpoint).host, response, parts.clock.now());
  if (wantsBasic(response)) return { endpoint, issuer: undefined };
  const guarded = { registry, endpoint, name: '', credentials: undefined };
  const { realm, service, trust } = demandOf(response, guarded, parts.registrableDomain);
  return { endpoint, issuer: { realm, service, trust } };
}

/** Where there is no token service, the login itself is what opens, if the endpoint takes it. */
async function tryLogin(
  endpoint: string,
  { login }: Relayed,
  ask: Fetch,
  parts: RelayParts,
  signal: AbortSignal,
): Promise<Opening> {
  const { host } = new URL(endpoint);
  if (login.kind === 'form') throw noForm(host);
  const response = await ping(endpoint, login.authorization, ask, parts, signal);
  if (response.status !== 200) throw refusal(host, response, parts.clock.now());
  return { authorization: login.authorization, grantor: endpoint, life: usualLife, refresh: undefined };
}

async function ping(
  endpoint: string,
  authorization: string | undefined,
  ask: Fetch,
  { userAgent }: RelayParts,
  signal: AbortSignal,
): Promise<UpstreamResponse> {
  const url = `${endpoint.replace(/\/+$/, '')}/v2/`;
  const headers = { ...tokenHeaders(userAgent), ...(authorization !== undefined && { authorization }) };
  const response = await ask({ method: 'GET', url, headers, signal, trust: 'configured' });
  void drain(response);
  return response;
}

function noForm(host: string): RegistryError {
  return new RegistryError('UNSUPPORTED', `${host} takes no POST for a token`, { status: 404 });
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
