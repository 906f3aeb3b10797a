// Which registry a request means: by its path, by the `ns` parameter, by its Host header, or because nothing says otherwise.
import { RegistryError } from './errors.ts';
import { isRegistryName, parseRepository, type Repository } from './reference.ts';

/** What is configured, as far as finding a registry needs it. Hosts are passed in lower case. */
export interface Routing {
  /** The canonical name of the configured registry that clients call `host`, aliases and wildcards included. */
  registry(host: string): string | undefined;
  /** The registry that a Host header is mapped to. Asked with the port and, if that is not mapped, without it. */
  byHost(host: string): string | undefined;
  /** Whose repositories are meant when nothing says otherwise: docker.io, unless it is not configured. */
  readonly fallback: string | undefined;
  /** For messages. */
  readonly configured: readonly string[];
}

/** What a request says about the registry, outside the repository's name. Registries by their canonical names. */
export interface Hints {
  /** Of the layout `/<registry>/v2/…`. */
  readonly prefix: string | undefined;
  readonly ns: string | undefined;
  readonly host: string | undefined;
}

const longestList = 20;

/** Throws NAME_UNKNOWN (404) for a registry that is not configured, NAME_INVALID (400) for what cannot be one. */
export function findRegistry(name: string, routing: Routing): string {
  const host = name.toLowerCase();
  if (!isRegistryName(host)) {
    throw new RegistryError('NAME_INVALID', 'a registry is named by its host, with or without a port');
  }
  const registry = routing.registry(host);
  if (registry === undefined) throw unknownRegistry(`the registry ${host} is not configured here`, routing);
  return registry;
}

/**
 * The path's host counts before `ns`, that before the Host header, that before the fallback. A host is taken off once: below
 * `/docker.io/v2/`, and after the first component, `ghcr.io` is a part of the name.
 */
export function findRepository(components: readonly string[], hints: Hints, routing: Routing): Repository {
  const leading = hints.prefix === undefined ? leadingRegistry(components, hints.ns !== undefined, routing) : undefined;
  const name = (leading === undefined ? components : components.slice(1)).join('/');
  const inPath = hints.prefix ?? leading;
  checkAgreement(inPath, hints.ns);
  const registry = inPath ?? hints.ns ?? usualRegistry(hints.host, routing);
  if (registry === undefined) {
    throw unknownRegistry('the request names no registry, and none is the default here', routing);
  }
  return parseRepository(registry, name);
}

/** What is meant by who names no registry: the one that the Host header stands for, or else the one that nothing need be said of. */
export function usualRegistry(header: string | undefined, routing: Routing): string | undefined {
  return registryOfHost(header, routing) ?? routing.fallback;
}

export function checkAgreement(inPath: string | undefined, ns: string | undefined): void {
  if (inPath === undefined || ns === undefined || inPath === ns) return;
  throw new RegistryError('NAME_INVALID', `the path names the registry ${inPath}, but ns names ${ns}`);
}

/**
 * The registry that a component of a path names, or undefined if it is none. What looks like a host and is not configured is
 * refused; but with `ns`, it belongs to the repository's name, and so does an alias that looks like any other word.
 */
export function registryInPath(component: string, hasNs: boolean, routing: Routing): string | undefined {
  const name = component.toLowerCase();
  if (!isRegistryName(name)) return undefined;
  const isHost = name.includes('.') || name.includes(':') || name === 'localhost';
  if (hasNs) return isHost ? routing.registry(name) : undefined;
  return isHost ? findRegistry(name, routing) : routing.registry(name);
}

/** The registry that a name begins with. As in image references, a single component is never a host. */
export function leadingRegistry(components: readonly string[], hasNs: boolean, routing: Routing): string | undefined {
  const [first, second] = components;
  return first === undefined || second === undefined ? undefined : registryInPath(first, hasNs, routing);
}

/** The one that a Host header is mapped to. */
function registryOfHost(header: string | undefined, routing: Routing): string | undefined {
  const host = header?.toLowerCase();
  return host === undefined ? undefined : (routing.byHost(host) ?? routing.byHost(host.replace(/:\d*$/, '')));
}

function unknownRegistry(what: string, { configured }: Routing): RegistryError {
  const listed = configured.slice(0, longestList).join(', ');
  const more = configured.length > longestList ? ` and ${configured.length - longestList} more` : '';
  return new RegistryError('NAME_UNKNOWN', `${what}; configured: ${listed === '' ? 'none' : listed}${more}`);
}
