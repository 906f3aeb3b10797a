// What whoever must log in first is told: where and how, in this mirror's own words and never in an upstream's.
import { bearerChallenge, parseChallenges } from '../oci/challenge.ts';
import { RegistryError } from '../oci/errors.ts';
import { type Pull, repositoryOf } from '../oci/pull.ts';
import { type Routing, usualRegistry } from '../oci/route.ts';
import type { LoginMode } from '../upstream/registries.ts';
import type { Arrival } from './arrival.ts';

/** How a client logs in for what it asks. */
export interface WayIn {
  readonly mode: LoginMode;
  readonly registry: string;
  readonly challenge: (error?: string) => string;
}

/** Of the words of upstreams, those that clients act upon. */
const errors = new Set(['invalid_token', 'insufficient_scope']);

/** Undefined where nobody logs in. Throws 400 where the Host header is missing that a challenge must name. */
export function wayIn(
  pull: Pull,
  { target, host, realm }: Arrival,
  routing: Routing,
  loginMode: (registry: string) => LoginMode | undefined,
): WayIn | undefined {
  const repository = repositoryOf(pull);
  const registry = pull.kind === 'ping' ? pull.registry : repository?.registry;
  const mode = registry === undefined ? undefined : loginMode(registry);
  if (registry === undefined || mode === undefined) return undefined;
  if (mode === 'account') return { mode, registry, challenge: () => 'Basic realm="sampan"' };
  if (realm === undefined) throw new RegistryError('NAME_INVALID', 'a request has one Host header, a host and a port');

  // Clients keep logins by host. Where only the path names the registry, the host's login is for another one.
  const usual = usualRegistry(host, routing);
  const byPath = registry !== usual && pull.namespace === undefined && target.startsWith('/v2/');
  const service = byPath ? usual : registry;
  const name = byPath ? `${registry}/${repository?.name}` : repository?.name;
  const scope = name === undefined ? undefined : `repository:${name}:pull`;
  return { mode, registry, challenge: (error) => bearerChallenge({ realm, service, scope, error }) };
}

export function mustLogIn({ registry, challenge }: WayIn, error?: string): RegistryError {
  const headers = { 'www-authenticate': challenge(error) };
  return new RegistryError('UNAUTHORIZED', `${registry} wants a login here`, { headers });
}

/** What an upstream's challenge complains of, if clients know the word. */
export function complaintOf(upstream: string | readonly string[] | undefined): string | undefined {
  const found = parseChallenges(upstream).map(({ parameters }) => parameters.get('error'));
  return found.find((error) => error !== undefined && errors.has(error));
}
