// What a 401 of a registry demands, and whether the policy allows to follow it.
import { type Challenge, bearerChallenge, parseChallenges } from '../oci/challenge.ts';
import { RegistryError } from '../oci/errors.ts';
import type { UpstreamResponse } from './fetch.ts';
import { type RegistrableDomain, trustOfRealm } from './realm.ts';
import type { Credentials, Registry } from './registries.ts';
import type { Issuer } from './tokens.ts';

export interface Guarded {
  readonly registry: Registry;
  readonly endpoint: string;
  /** The repository's name, without its registry. */
  readonly name: string;
  /** In whose name a request without a login of its own goes out; undefined: nobody's. */
  readonly credentials: Credentials | undefined;
}

interface Demand extends Issuer {
  readonly scope: string;
  /** The challenge, written anew for the client. */
  readonly challenge: string;
}

/** Throws UNAUTHORIZED, saying why, if there is nothing to follow. */
export function demandOf(response: UpstreamResponse, guarded: Guarded, registrableDomain: RegistrableDomain): Demand {
  const bearer = bearerOf(challengesOf(response));
  if (bearer === undefined) {
    throw unauthorized(guarded, wantsBasic(response) ? 'wants a user name and a password' : 'answered 401');
  }
  const named = bearer.get('realm') ?? '';
  if (!URL.canParse(named)) throw unauthorized(guarded, 'wants a token, but does not say where to get one');
  const realm = new URL(named);
  const trust = trustOfRealm(realm, new URL(guarded.endpoint), guarded.registry, registrableDomain);
  if (trust === undefined) throw unauthorized(guarded, sendsElsewhere(realm));
  const service = bearer.get('service');
  const scope = bearer.get('scope') ?? usualScope(guarded);
  const challenge = bearerChallenge({ realm: realm.href, service, scope, error: bearer.get('error') });
  return { realm: realm.href, service, trust, scope, challenge };
}

/** No token, but the login itself, with each request. */
export function wantsBasic(response: UpstreamResponse): boolean {
  const challenges = challengesOf(response);
  return bearerOf(challenges) === undefined && challenges.some(({ scheme }) => scheme === 'basic');
}

/** The scope of a pull; or what this realm's own challenge asks for, where a registry goes by other names inside. */
export function scopeOf(guarded: Guarded, response?: UpstreamResponse, realm?: string): string {
  const bearer = response && bearerOf(challengesOf(response));
  const named = bearer?.get('realm') ?? '';
  const own = URL.canParse(named) && new URL(named).href === realm ? bearer?.get('scope') : undefined;
  return own ?? usualScope(guarded);
}

/** Names the realm without path and query, in which anything may be. */
export function sendsElsewhere(realm: URL): string {
  const origin = `${realm.protocol}//${realm.host}`;
  return `sends us to ${origin} for a token, which is not trusted; if that is right, add it to the registry's configuration: realms: ["${origin}"]`;
}

export function unauthorized(
  guarded: Guarded,
  what: string,
  headers?: Readonly<Record<string, string>>,
): RegistryError {
  return new RegistryError('UNAUTHORIZED', `${hostOf(guarded)} ${what}`, headers && { headers });
}

export function hostOf({ endpoint }: Guarded): string {
  return new URL(endpoint).host;
}

function usualScope({ name }: Guarded): string {
  return `repository:${name}:pull`;
}

function challengesOf({ headers }: UpstreamResponse): readonly Challenge[] {
  return parseChallenges(headers['www-authenticate']);
}

function bearerOf(challenges: readonly Challenge[]): Challenge['parameters'] | undefined {
  return challenges.find(({ scheme }) => scheme === 'bearer')?.parameters;
}
