// What whoever must log in first is told: where and how, in this mirror's own words and never in an upstream's.
import { bearerChallenge, parseChallenges } from '../oci/challenge.ts';
import { RegistryError } from '../oci/errors.ts';
import { type Pull, repositoryOf } from '../oci/pull.ts';
import { type Routing, usualRegistry } from '../oci/route.ts';
import { parseRequestTarget } from '../oci/target.ts';
import type { LoginMode } from '../upstream/registries.ts';
import type { Arrival } from './arrival.ts';
import { basicChallenge } from './identity.ts';

/** How a client logs in for what it asks. */
export interface WayIn {
  readonly mode: LoginMode;
  readonly registry: string;
  readonly challenge: (error?: string) => string;
}

/** Of the words of upstreams, those that clients act upon. */
const errors = new Set(['invalid_token', 'insufficient_scope']);

/**
 * Undefined where nobody logs in. Throws 400 where the Host header is missing that a challenge must name. `isIn`: who asks is
 * let in as he comes. Then he must be able to get a token without an account: docker sends nothing at all to a Basic challenge.
 */
export function wayIn(
  pull: Pull,
  arrival: Arrival,
  routing: Routing,
  loginMode: (registry: string) => LoginMode | undefined,
  isIn: boolean,
): WayIn | undefined {
  const registry = registryOf(pull);
  const mode = registry === undefined ? undefined : loginMode(registry);
  if (registry === undefined || mode === undefined) return undefined;
  if (mode === 'account' && !isIn) return { mode, registry, challenge: () => basicChallenge };
  const realm = arrival.realm();
  if (realm === undefined) throw new RegistryError('NAME_INVALID', 'a request has one Host header, a host and a port');

  const byPath = isByPath(pull, arrival, routing);
  const service = byPath ? usualRegistry(arrival.host, routing) : registry;
  const own = repositoryOf(pull)?.name;
  const name = byPath ? `${registry}/${own}` : own;
  const scope = name === undefined ? undefined : `repository:${name}:pull`;
  return { mode, registry, challenge: (error) => bearerChallenge({ realm, service, scope, error }) };
}

/** Clients keep logins by host. Where only the path names the registry, the host's login is for another one. */
export function isByPath(pull: Pull, { target, host }: Arrival, routing: Routing): boolean {
  if (pull.namespace !== undefined || registryOf(pull) === usualRegistry(host, routing)) return false;
  return parseRequestTarget(target).path.startsWith('/v2/');
}

export function registryOf(pull: Pull): string | undefined {
  return pull.kind === 'ping' ? pull.registry : repositoryOf(pull)?.registry;
}

export function wantsHostOfItsOwn(registry: string | undefined): string {
  return `a login for ${registry} needs a host name of its own here, see hosts in sampan's configuration`;
}

/** Names no registry: whoever is told it may be nobody to whom it should be said which are configured. */
export const wantsLogin =
  'a login is wanted here: for this mirror, or for the registry at a host name that stands for it';

export function mustLogIn(way?: WayIn, error?: string): RegistryError {
  const headers = { 'www-authenticate': way?.challenge(error) ?? basicChallenge };
  return new RegistryError('UNAUTHORIZED', wantsLogin, { headers });
}

/** What an upstream's challenge complains of, if clients know the word. */
export function complaintOf(upstream: string | readonly string[] | undefined): string | undefined {
  const found = parseChallenges(upstream).map(({ parameters }) => parameters.get('error'));
  return found.find((error) => error !== undefined && errors.has(error));
}
