// Which hosts clients of the configured registries have to reach: the registries, their token services, and where layers lie.
import type { Registry } from './registries.ts';

export interface Belonging {
  /** Of those that are configured; undefined for a host that the owner allows beside them. */
  readonly registry: string | undefined;
  /** The registry API itself is there: not only its tokens or its layers. */
  readonly isRegistry: boolean;
  /** The registry's own authorities (PEM), of a host at which no registry without them is. */
  readonly ca?: string;
}

/** Hosts in lower case: by their whole name, or everything below a domain (`*.pkg.dev`), at the boundary of a label. */
export class Hosts {
  readonly #rules = new Map<string, Belonging>();

  /** `allowed`: by the owner's word alone. */
  constructor(registries: readonly Registry[], allowed: readonly string[] = []) {
    for (const rule of allowed) this.#rules.set(rule, { registry: undefined, isRegistry: false });
    for (const registry of registries) this.#add(besides(registry), { registry: registry.name, isRegistry: false });
    for (const registry of registries) for (const host of itself(registry)) this.#addRegistry(host, registry);
  }

  find(host: string): Belonging | undefined {
    const exact = host.startsWith('*') ? undefined : this.#rules.get(host);
    if (exact !== undefined) return exact;
    // From the longest suffix to the shortest, as registries are found.
    for (let dot = host.indexOf('.'); dot > 0; dot = host.indexOf('.', dot + 1)) {
      const below = this.#rules.get(`*${host.slice(dot)}`);
      if (below !== undefined) return below.isRegistry ? { ...below, registry: host } : below;
    }
    return undefined;
  }

  #addRegistry(host: string, { name, ca }: Registry): void {
    const before = this.#rules.get(host);
    const isAgreed = before?.isRegistry !== true || before.ca === ca;
    this.#rules.set(host, { registry: name, isRegistry: true, ...(isAgreed && ca !== undefined && { ca }) });
  }

  #add(hosts: readonly string[], belonging: Belonging): void {
    for (const host of hosts) this.#rules.set(host, belonging);
  }
}

/** A name with a port is no host that anybody reaches on a customary one. */
function itself({ name, aliases, endpoints }: Registry): readonly string[] {
  return [...[name, ...aliases].filter((each) => !each.includes(':')), ...hostsOf(endpoints, name)];
}

/** Where clients reach the registries of these names, as rules. An authority that is good for them is good for what is below, too. */
export function interceptedHosts(registries: readonly Registry[], names: readonly string[]): readonly string[] {
  const hosts = registries.filter(({ name }) => names.includes(name)).flatMap(itself);
  // Docker Hub's name is no host of its API, and its token service is below. Nobody tunnels to an address.
  return [...new Set(hosts)].filter((host) => host !== 'docker.io' && !/^[\d.]+$/.test(host));
}

function besides({ name, realms, redirects, cdns }: Registry): readonly string[] {
  return [...cdns, ...hostsOf([...realms, ...redirects], name)];
}

/** Of URLs on the customary port, whether it is written or not. `{host}` is the registry's name; what is no rule then is left out. */
export function hostsOf(urls: readonly string[], name: string): readonly string[] {
  return urls.flatMap((text) => {
    const url = text.replaceAll('{host}', name);
    if (!/^https?:/i.test(url) || !URL.canParse(url)) return [];
    const { hostname, port } = new URL(url);
    const isRule = port === '' && !hostname.startsWith('[') && hostname.lastIndexOf('*') <= 0;
    return isRule ? hostname : [];
  });
}
