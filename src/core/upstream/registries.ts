// The registries that are configured, and the names under which they are called.
import type { Routing } from '../oci/route.ts';
import type { Limits } from './limits.ts';

/** An account at a registry, of whoever runs the mirror. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/**
 * How clients log in. undefined: not at all, and a login that they bring along is their own affair. `own`: at the registry, and
 * we relay it. `account`: at this mirror, with an account of its own.
 */
export type LoginMode = 'own' | 'account';

export interface Registry {
  /** `docker.io`; or `*.pkg.dev`, for every host below. */
  readonly name: string;
  readonly aliases: readonly string[];
  /** Trusted for everything, in this order. A path may stand before `/v2/`; `{host}` is the host that a wildcard stands for. */
  readonly endpoints: readonly string[];
  /** Third parties' copies: asked for public content by digest only, when no endpoint can answer. */
  readonly mirrors: readonly string[];
  /** Where tokens may be asked for beyond the endpoints' own domains: URLs, or origins. */
  readonly realms: readonly string[];
  /** Origins that the endpoints may redirect to, even without TLS or at an address that is not public. */
  readonly redirects: readonly string[];
  /** Hosts, or all below a domain (`*.quay.io`), where its clients are sent for tokens and layers. Nothing of ours is sent there. */
  readonly cdns: readonly string[];
  readonly login?: LoginMode | undefined;
  /** Authorities (PEM) that are believed beside the system's, of what the owner has named for this registry and of nothing else. */
  readonly ca?: string | undefined;
  /** Shown to the endpoints and their token services only, where we ask in our own name. No user name is there twice. */
  readonly credentials?: readonly Credentials[] | undefined;
  readonly limits?: Limits | undefined;
}

// It is put into URLs, so nothing but labels.
const hostPattern = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/;

export class Registries implements Routing {
  readonly #byName = new Map<string, Registry>();
  readonly #hosts: ReadonlyMap<string, string>;
  readonly configured: readonly string[];

  /** Later entries override earlier ones of the same name. `hosts`: Host header -> registry. Everything in lower case. */
  constructor(entries: readonly Registry[], hosts: Readonly<Record<string, string>>) {
    const last = new Map(entries.map((entry) => [entry.name, entry]));
    for (const entry of last.values()) for (const alias of entry.aliases) this.#byName.set(alias, entry);
    for (const entry of last.values()) this.#byName.set(entry.name, entry);
    this.#hosts = new Map(Object.entries(hosts));
    this.configured = [...last.keys()];
  }

  get fallback(): string | undefined {
    return this.registry('docker.io');
  }

  registry(called: string): string | undefined {
    return this.find(called)?.name;
  }

  byHost(header: string): string | undefined {
    const name = this.#hosts.get(header);
    return name === undefined ? undefined : this.registry(name);
  }

  /** By its name, an alias, or a host that its wildcard stands for; of the latter the name is the host. */
  find(name: string): Registry | undefined {
    const entry = this.#entry(name);
    return entry?.name.startsWith('*') ? concrete(entry, name) : entry;
  }

  /** The name under which a registry stands in the configuration: its own, or the wildcard that it is one of. */
  configuredAs(name: string): string | undefined {
    return this.#entry(name)?.name;
  }

  #entry(name: string): Registry | undefined {
    const exact = name.startsWith('*') ? undefined : this.#byName.get(name);
    if (exact !== undefined) return exact;
    // From the longest suffix to the shortest: `*.a.example.com` before `*.example.com`.
    for (let dot = name.indexOf('.'); dot > 0 && hostPattern.test(name); dot = name.indexOf('.', dot + 1)) {
      const wildcard = this.#byName.get(`*${name.slice(dot)}`);
      if (wildcard !== undefined) return wildcard;
    }
    return undefined;
  }
}

function concrete(entry: Registry, host: string): Registry {
  const named = (urls: readonly string[]) => urls.map((url) => url.replaceAll('{host}', host));
  return {
    ...entry,
    name: host,
    aliases: [],
    endpoints: named(entry.endpoints),
    mirrors: named(entry.mirrors),
    realms: named(entry.realms),
    redirects: named(entry.redirects),
  };
}
