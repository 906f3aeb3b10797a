// Everything that a client may ask of a registry that only gives, as a value: parsing it is the router.
import type { Conditions } from './conditional.ts';
import { type Digest, parseDigest } from './digest.ts';
import { parsePath } from './endpoint.ts';
import { RegistryError } from './errors.ts';
import type { Self } from './link.ts';
import { type RangeRequest, parseRange } from './range.ts';
import { parseTarget, type Reference, type Repository } from './reference.ts';
import { checkAgreement, findRegistry, findRepository, type Routing, usualRegistry } from './route.ts';
import { parseRequestTarget } from './target.ts';

/** What a face reads from a request. Header values are as they came. */
export interface PullRequest {
  readonly method: string;
  /** The request-target as it came: path and query, nothing decoded. */
  readonly target: string;
  /** The Host header. */
  readonly host: string | undefined;
  readonly range?: string;
  readonly ifNoneMatch?: string;
  readonly ifRange?: string;
}

interface Asked {
  /** The `ns` that the client sent; validated, to be answered as `OCI-Namespace`. */
  readonly namespace: string | undefined;
}

export interface Ping extends Asked {
  readonly kind: 'ping';
  /** Of whose repositories the next requests will be, as far as it is told; undefined if there is no such registry. */
  readonly registry: string | undefined;
}

export interface ManifestPull extends Asked {
  readonly kind: 'manifest';
  readonly reference: Reference;
  readonly head: boolean;
  readonly conditions: Conditions;
}

export interface BlobPull extends Asked {
  readonly kind: 'blob';
  readonly repository: Repository;
  readonly digest: Digest;
  readonly head: boolean;
  /** Of a GET only: for HEAD it has no meaning (RFC 9110, section 14.2). */
  readonly range: RangeRequest | undefined;
  readonly conditions: Conditions;
}

interface ListPull extends Asked {
  readonly repository: Repository;
  readonly head: boolean;
  /** Without the question mark and without `ns`; encoded anew. */
  readonly query: string;
  /** What `linkToNext` needs for the answer's Link header. */
  readonly self: Self;
}

export interface TagsPull extends ListPull {
  readonly kind: 'tags';
}

export interface ReferrersPull extends ListPull {
  readonly kind: 'referrers';
  readonly digest: Digest;
}

export type Pull = Ping | ManifestPull | BlobPull | TagsPull | ReferrersPull;

/** Throws a RegistryError of status 400, 404 or 405 for everything that is not a pull. */
export function parsePull(request: PullRequest, routing: Routing): Pull {
  const head = request.method === 'HEAD';
  if (!head && request.method !== 'GET') throw readOnly();

  const { path, query, authority } = parseRequestTarget(request.target);
  const namespace = takeNamespace(query);
  const ns = namespace === undefined ? undefined : findRegistry(namespace, routing);
  const { prefix, endpoint } = parsePath(path, routing);
  if (endpoint.kind === 'ping') {
    checkAgreement(prefix, ns);
    return { kind: 'ping', registry: prefix ?? ns ?? usualRegistry(authority ?? request.host, routing), namespace };
  }

  const repository = findRepository(endpoint.name, { prefix, ns, host: authority ?? request.host }, routing);
  const conditions = { ifNoneMatch: request.ifNoneMatch, ifRange: request.ifRange };
  const list = { repository, head, query: query.toString(), self: { path, ns: namespace }, namespace };
  switch (endpoint.kind) {
    case 'manifests':
      return {
        kind: 'manifest',
        reference: { repository, target: parseTarget(endpoint.last) },
        head,
        conditions,
        namespace,
      };
    case 'blobs': {
      const range = head ? undefined : parseRange(request.range);
      return { kind: 'blob', repository, digest: parseDigest(endpoint.last), head, range, conditions, namespace };
    }
    case 'tags':
      checkPageSize(query);
      return { kind: 'tags', ...list };
    case 'referrers':
      return { kind: 'referrers', digest: parseDigest(endpoint.last), ...list };
  }
}

/** Undefined for a ping, which is about none. */
export function repositoryOf(pull: Pull): Repository | undefined {
  if (pull.kind === 'ping') return undefined;
  return pull.kind === 'manifest' ? pull.reference.repository : pull.repository;
}

/** What every push and delete is answered, before anything else of it is looked at. */
export function readOnly(): RegistryError {
  return new RegistryError('UNSUPPORTED', 'this mirror is read-only: it answers GET and HEAD', {
    headers: { allow: 'GET, HEAD' },
  });
}

/** Takes `ns` out of the query: it is meant for us, never for the upstream. */
function takeNamespace(query: URLSearchParams): string | undefined {
  const [ns, ...others] = query.getAll('ns');
  if (others.length > 0) throw new RegistryError('NAME_INVALID', 'ns is given more than once');
  query.delete('ns');
  return ns;
}

function checkPageSize(query: URLSearchParams): void {
  if (query.getAll('n').every((n) => /^\d+$/.test(n))) return;
  throw new RegistryError('PAGINATION_NUMBER_INVALID', 'n is a non-negative whole number');
}
