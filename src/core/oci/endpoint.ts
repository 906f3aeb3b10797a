// The endpoints of the distribution-spec, recognised in a path from the right: a repository's components may be called `manifests` or `tags` too.
import { RegistryError } from './errors.ts';
import { registryInPath, type Routing } from './route.ts';

/** Components are decoded and otherwise unchecked. */
export type Endpoint =
  | { readonly kind: 'ping' }
  | { readonly kind: 'tags'; readonly name: readonly string[] }
  | { readonly kind: 'manifests' | 'blobs' | 'referrers'; readonly name: readonly string[]; readonly last: string };

export interface Location {
  /** The registry of the layout `/<registry>/v2/…`. */
  readonly prefix: string | undefined;
  readonly endpoint: Endpoint;
}

/** Throws UNSUPPORTED (404) for a path that is none of a registry's, NAME_UNKNOWN (404) for one of a registry that is not configured. */
export function parsePath(path: string, routing: Routing): Location {
  const components = path.slice(1).split('/');
  const [first = '', second] = components;
  const prefix = first !== 'v2' && second === 'v2' ? registryInPath(first, false, routing) : undefined;
  const [root, ...below] = prefix === undefined ? components : components.slice(1);
  const endpoint = root === 'v2' ? parseEndpoint(below) : undefined;
  if (endpoint === undefined) throw unknownPath(components);
  return { prefix, endpoint };
}

function parseEndpoint(below: readonly string[]): Endpoint | undefined {
  if (below.length === 0 || (below.length === 1 && below[0] === '')) return { kind: 'ping' };
  const name = below.slice(0, -2);
  const [kind, last] = below.slice(-2);
  if (last === undefined) return undefined;
  if (kind === 'tags' && last === 'list') return { kind, name };
  return kind === 'manifests' || kind === 'blobs' || kind === 'referrers' ? { kind, name, last } : undefined;
}

function unknownPath(components: readonly string[]): RegistryError {
  if (components.some((component) => component === '.' || component === '..')) {
    return new RegistryError('NAME_INVALID', 'a path has no . and no .. components');
  }
  return new RegistryError(
    'UNSUPPORTED',
    'there is no such endpoint; there are /v2/, /v2/<name>/manifests/<tag or digest>, /v2/<name>/blobs/<digest>, ' +
      '/v2/<name>/tags/list and /v2/<name>/referrers/<digest>',
    { status: 404 },
  );
}
