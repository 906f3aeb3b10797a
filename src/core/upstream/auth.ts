// Shows registries what they want to see: the caller's own login, or a token that anybody can get.
import { RegistryError } from '../oci/errors.ts';
import { drain } from './body.ts';
import type { Bounded } from './bounded.ts';
import { type Challenge, bearerChallenge, parseChallenges } from '../oci/challenge.ts';
import { ForbiddenAddress, type Fetch, type UpstreamRequest, type UpstreamResponse, type Wrap } from './fetch.ts';
import { type RegistrableDomain, trustOfRealm } from './realm.ts';
import type { Registry } from './registries.ts';
import type { Issuer, Tokens } from './tokens.ts';

export interface Guarded {
  readonly registry: Registry;
  readonly endpoint: string;
  /** The repository's name, without its registry. */
  readonly name: string;
}

export interface AuthParts {
  readonly tokens: Tokens;
  /** What each endpoint's challenge said: later repositories go straight to the token. */
  readonly issuers: Bounded<Issuer>;
  readonly registrableDomain: RegistrableDomain;
  /** For the token issuers: without redirects and without a token. */
  readonly fetch: Fetch;
}

/** What a 401 demands, where the policy allows to follow it. */
interface Demand extends Issuer {
  readonly scope: string;
  /** The challenge, written anew for the client. */
  readonly challenge: string;
}

/**
 * A request that carries an `authorization` is its caller's: it goes out as it is. Any other gets a token if the endpoint
 * wants one, and once a fresh one if it is refused. Throws UNAUTHORIZED for the last 401, with the upstream's challenge if its
 * realm passes the policy, and what the token service's failure is.
 */
export function withAuth(guarded: Guarded, parts: AuthParts): Wrap {
  return (next) => async (request) => {
    if (request.headers['authorization'] !== undefined) return unlessRefused(await next(request), guarded, parts);
    const known = parts.issuers.get(guarded.endpoint);
    const usual = scopeOf(guarded);
    const token = known && (await tokenOf(known, usual, request.signal, guarded, parts));
    const response = await next(bearing(request, token));
    if (response.status !== 401) return response;
    // Without a challenge it is no word of the endpoint's, and no other token would help.
    if (response.headers['www-authenticate'] === undefined) return unlessRefused(response, guarded, parts);
    void drain(response);

    let fresh;
    if (known === undefined || token === undefined) {
      const demand = demandOf(response, guarded, parts);
      parts.issuers.set(guarded.endpoint, demand);
      fresh = await tokenOf(demand, demand.scope, request.signal, guarded, parts);
    } else {
      // From where the last one came: nvcr.io names another realm to whoever shows an old token, and nobody gets one there without a login.
      parts.tokens.forget(known, usual, token);
      fresh = await tokenOf(known, scopeOf(guarded, response, known.realm), request.signal, guarded, parts);
    }
    return unlessRefused(await next(bearing(request, fresh)), guarded, parts);
  };
}

function bearing(request: UpstreamRequest, token: string | undefined): UpstreamRequest {
  return token === undefined
    ? request
    : { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
}

function unlessRefused(response: UpstreamResponse, guarded: Guarded, parts: AuthParts): UpstreamResponse {
  if (response.status !== 401) return response;
  void drain(response);
  const { challenge } = demandOf(response, guarded, parts);
  throw unauthorized(guarded, 'answered 401', { 'www-authenticate': challenge });
}

async function tokenOf(
  issuer: Issuer,
  scope: string,
  signal: AbortSignal,
  guarded: Guarded,
  parts: AuthParts,
): Promise<string> {
  try {
    return await parts.tokens.get(issuer, scope, parts.fetch, signal);
  } catch (error) {
    signal.throwIfAborted();
    // It may have moved: the next request asks the endpoint again.
    parts.issuers.delete(guarded.endpoint);
    if (!(error instanceof ForbiddenAddress)) throw error;
    const message = `${hostOf(guarded)} ${sendsElsewhere(new URL(issuer.realm))}`;
    throw new RegistryError('UNAVAILABLE', message, { status: 502, cause: error });
  }
}

/** Throws UNAUTHORIZED, saying why, if there is nothing to follow. */
function demandOf(response: UpstreamResponse, guarded: Guarded, parts: AuthParts): Demand {
  const challenges = parseChallenges(response.headers['www-authenticate']);
  const bearer = bearerOf(challenges);
  if (bearer === undefined) {
    const basic = challenges.some(({ scheme }) => scheme === 'basic');
    throw unauthorized(guarded, basic ? 'wants a user name and a password' : 'answered 401');
  }
  const named = bearer.get('realm') ?? '';
  if (!URL.canParse(named)) throw unauthorized(guarded, 'wants a token, but does not say where to get one');
  const realm = new URL(named);
  const trust = trustOfRealm(realm, new URL(guarded.endpoint), guarded.registry, parts.registrableDomain);
  if (trust === undefined) throw unauthorized(guarded, sendsElsewhere(realm));
  const service = bearer.get('service');
  const scope = bearer.get('scope') ?? scopeOf(guarded);
  const challenge = bearerChallenge({ realm: realm.href, service, scope, error: bearer.get('error') });
  return { realm: realm.href, service, trust, scope, challenge };
}

/** Names the realm without path and query, in which anything may be. */
function sendsElsewhere(realm: URL): string {
  const origin = `${realm.protocol}//${realm.host}`;
  return `sends us to ${origin} for a token, which is not trusted; if that is right, add it to the registry's configuration: realms: ["${origin}"]`;
}

function bearerOf(challenges: readonly Challenge[]): Challenge['parameters'] | undefined {
  return challenges.find(({ scheme }) => scheme === 'bearer')?.parameters;
}

/** The scope of a pull; or what this realm's own challenge asks for, where a registry goes by other names inside. */
function scopeOf(guarded: Guarded, response?: UpstreamResponse, realm?: string): string {
  const bearer = bearerOf(parseChallenges(response?.headers['www-authenticate']));
  const named = bearer?.get('realm') ?? '';
  const own = URL.canParse(named) && new URL(named).href === realm ? bearer?.get('scope') : undefined;
  return own ?? `repository:${guarded.name}:pull`;
}

function hostOf(guarded: Guarded): string {
  return new URL(guarded.endpoint).host;
}

function unauthorized(guarded: Guarded, what: string, headers?: Readonly<Record<string, string>>): RegistryError {
  return new RegistryError('UNAUTHORIZED', `${hostOf(guarded)} ${what}`, headers && { headers });
}
