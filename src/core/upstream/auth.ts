// Shows registries what they want to see: the caller's own login, a token that anybody can get, or one of our own.
import { RegistryError } from '../oci/errors.ts';
import { basic } from '../oci/login.ts';
import { holdsSecret } from '../oci/redact.ts';
import { drain } from './body.ts';
import type { Bounded } from '../oci/bounded.ts';
import { demandOf, type Guarded, hostOf, scopeOf, sendsElsewhere, unauthorized, wantsBasic } from './demand.ts';
import { ForbiddenAddress, type Fetch, type UpstreamRequest, type UpstreamResponse, type Wrap } from './fetch.ts';
import type { RegistrableDomain } from './realm.ts';
import type { Issuer, Tokens, Wanted } from './tokens.ts';

export interface AuthParts {
  readonly tokens: Tokens;
  /** What each endpoint's challenge said: later repositories go straight to the token. */
  readonly issuers: Bounded<Issuer>;
  readonly registrableDomain: RegistrableDomain;
  /** For the token issuers: without redirects and without a token. */
  readonly fetch: Fetch;
}

/**
 * A request that carries an `authorization` is its caller's: it goes out as it is. Any other gets a token if the endpoint
 * wants one, and once a fresh one if it is refused. Throws UNAUTHORIZED for the last 401, with the upstream's challenge if its
 * realm passes the policy and has no secret of ours in it, and what the token service's failure is.
 */
export function withAuth(guarded: Guarded, parts: AuthParts): Wrap {
  const { credentials } = guarded;
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
    if (credentials !== undefined && wantsBasic(response)) {
      const authorization = basic(credentials.username, credentials.password);
      return unlessRefused(await next(withAuthorization(request, authorization)), guarded, parts);
    }

    let fresh;
    if (known === undefined || token === undefined) {
      const demand = demandOf(response, guarded, parts.registrableDomain);
      parts.issuers.set(guarded.endpoint, demand);
      fresh = await tokenOf(demand, demand.scope, request.signal, guarded, parts);
    } else {
      // From where the last one came: nvcr.io names another realm to whoever shows an old token, and nobody gets one there without a login.
      parts.tokens.forget(wantedOf(guarded, known, usual), token);
      fresh = await tokenOf(known, scopeOf(guarded, response, known.realm), request.signal, guarded, parts);
    }
    return unlessRefused(await next(bearing(request, fresh)), guarded, parts);
  };
}

function bearing(request: UpstreamRequest, token: string | undefined): UpstreamRequest {
  return token === undefined ? request : withAuthorization(request, `Bearer ${token}`);
}

function withAuthorization(request: UpstreamRequest, authorization: string): UpstreamRequest {
  return { ...request, headers: { ...request.headers, authorization } };
}

function unlessRefused(response: UpstreamResponse, guarded: Guarded, parts: AuthParts): UpstreamResponse {
  if (response.status !== 401) return response;
  void drain(response);
  const { challenge } = demandOf(response, guarded, parts.registrableDomain);
  // Another sampan's has the secret in it that we asked with.
  const headers = holdsSecret(challenge) ? undefined : { 'www-authenticate': challenge };
  throw unauthorized(guarded, 'answered 401', headers);
}

function wantedOf({ registry, endpoint, credentials }: Guarded, issuer: Issuer, scope: string): Wanted {
  return { registry: registry.name, endpoint, issuer, scope, credentials };
}

async function tokenOf(
  issuer: Issuer,
  scope: string,
  signal: AbortSignal,
  guarded: Guarded,
  parts: AuthParts,
): Promise<string> {
  try {
    return await parts.tokens.get(wantedOf(guarded, issuer, scope), parts.fetch, signal);
  } catch (error) {
    signal.throwIfAborted();
    // It may have moved: the next request asks the endpoint again.
    parts.issuers.delete(guarded.endpoint);
    if (!(error instanceof ForbiddenAddress)) throw error;
    const message = `${hostOf(guarded)} ${sendsElsewhere(new URL(issuer.realm))}`;
    throw new RegistryError('UNAVAILABLE', message, { status: 502, cause: error });
  }
}
