// Where a token may be asked for. A 401 alone never decides it: whoever can send one could collect what is sent there.
import type { UpstreamRequest } from './fetch.ts';
import type { Registry } from './registries.ts';

/** `registry.gitlab.com` -> `gitlab.com`. undefined for what has none: IP addresses, single labels, public suffixes. */
export type RegistrableDomain = (host: string) => string | undefined;

/**
 * How far the host of a realm is trusted; undefined: not at all. Trusted are the realms that the configuration names, https
 * on the endpoint's own host, and https on its registrable domain. An endpoint without TLS or without a name has no domain
 * to share: there it is the host only, over a scheme not weaker than the endpoint's.
 */
export function trustOfRealm(
  realm: URL,
  endpoint: URL,
  registry: Registry,
  registrableDomain: RegistrableDomain,
): UpstreamRequest['trust'] | undefined {
  if (realm.username !== '' || realm.password !== '') return undefined;
  if (registry.realms.some((pinned) => isPinned(realm, new URL(pinned)))) return 'configured';
  const strong = realm.protocol === 'https:' || (realm.protocol === 'http:' && endpoint.protocol === 'http:');
  if (!strong) return undefined;
  if (realm.hostname === endpoint.hostname) return 'configured';
  if (endpoint.protocol !== 'https:' || realm.protocol !== 'https:') return undefined;
  if (isAddress(endpoint.hostname) || isAddress(realm.hostname)) return undefined;
  const domain = registrableDomain(endpoint.hostname);
  // Two names without a domain do not share one.
  const shared = domain !== undefined && domain !== '' && domain === registrableDomain(realm.hostname);
  return shared ? 'public' : undefined;
}

/** A pinned realm without a path stands for all of its origin. */
function isPinned(realm: URL, pinned: URL): boolean {
  return realm.origin === pinned.origin && (pinned.pathname === '/' || realm.pathname === pinned.pathname);
}

/** An IP address, in the only forms that URL leaves them in. */
export function isAddress(hostname: string): boolean {
  return hostname.startsWith('[') || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
}
