// Which registries are served: the catalogue's, with what the owner says of them, and the owner's own.
import { usualLanes } from '../core/mirror/lanes.ts';
import { catalogue } from '../core/upstream/catalogue.ts';
import type { LoginMode, Registries, Registry } from '../core/upstream/registries.ts';

export interface ServedRegistry extends Registry {
  /** Milliseconds for which what a tag pointed at counts as fresh. */
  readonly freshFor: number;
  /** Milliseconds for which it is still served while the upstream cannot answer. */
  readonly staleFor: number;
  /** How many connections a blob may be fetched over at once. */
  readonly lanes: number;
  /** Milliseconds without bytes after which a connection that fetches a blob is broken off. */
  readonly stallAfter: number;
}

/** As its owner writes it: what is not there is as the catalogue has it, or as usual. */
export interface RegistrySettings {
  readonly endpoints?: readonly string[] | undefined;
  readonly mirrors?: readonly string[] | undefined;
  readonly realms?: readonly string[] | undefined;
  readonly redirects?: readonly string[] | undefined;
  readonly cdns?: readonly string[] | undefined;
  readonly aliases?: readonly string[] | undefined;
  readonly fresh_for?: number | undefined;
  readonly stale_for?: number | undefined;
  readonly lanes?: number | undefined;
  readonly stall_after?: number | undefined;
  readonly login?: 'none' | LoginMode | undefined;
  readonly credentials?: WrittenCredentials | readonly WrittenCredentials[] | undefined;
}

/** One of the three says the password, or where it is. */
export interface WrittenCredentials {
  readonly username: string;
  readonly password?: string | undefined;
  readonly password_file?: string | undefined;
  readonly password_env?: string | undefined;
}

export function composeRegistries(settings: {
  readonly registries: Readonly<Record<string, RegistrySettings>>;
  readonly catalogue: boolean;
}): readonly ServedRegistry[] {
  const known = new Map(settings.catalogue ? catalogue.map((entry) => [entry.name, entry]) : []);
  const names = new Set([...known.keys(), ...Object.keys(settings.registries)]);
  return [...names].map((name) => compose(name, known.get(name), settings.registries[name]));
}

const usualFreshFor = 60_000;
const usualStaleFor = 86_400_000;
const usualStallAfter = 10_000;

function compose(name: string, known: Registry | undefined, settings: RegistrySettings = {}): ServedRegistry {
  // Realms, mirrors, redirects and limits belong to the endpoints: others have others.
  const kept = settings.endpoints === undefined ? known : undefined;
  // Below a wildcard the host is known only when it is asked for.
  const named = (urls: readonly string[]): readonly string[] =>
    name.startsWith('*') ? urls : urls.map((url) => url.replaceAll('{host}', name));
  return {
    name,
    aliases: settings.aliases ?? known?.aliases ?? [],
    endpoints: named(settings.endpoints ?? known?.endpoints ?? ['https://{host}']),
    mirrors: named(settings.mirrors ?? kept?.mirrors ?? []),
    realms: named(settings.realms ?? kept?.realms ?? []),
    redirects: named(settings.redirects ?? kept?.redirects ?? []),
    // Clients that speak to the registry itself go there whatever our endpoints are; and no list of them is ever whole.
    limits: kept?.limits,
    cdns: [...(known?.cdns ?? []), ...(settings.cdns ?? [])],
    freshFor: settings.fresh_for ?? usualFreshFor,
    staleFor: settings.stale_for ?? usualStaleFor,
    lanes: settings.lanes ?? usualLanes,
    stallAfter: settings.stall_after ?? usualStallAfter,
    login: settings.login === 'none' ? undefined : settings.login,
    credentials: undefined,
  };
}

/** What is said of a registry, by the name that pulls have for it. Throws if it is not configured. */
export function settingsIn(
  entries: readonly ServedRegistry[],
  registries: Registries,
): (registry: string) => ServedRegistry {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  return (registry) => {
    const entry = byName.get(registries.configuredAs(registry) ?? registry);
    if (entry === undefined) throw new Error(`no registry ${registry} is configured`);
    return entry;
  };
}
