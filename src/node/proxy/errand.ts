// What a client that believes to speak with its registry wants of it: something that a mirror can give it, or something else.
import { RegistryError } from '../../core/oci/errors.ts';
import {
  type BlobPull,
  type ManifestPull,
  parsePull,
  type Pull,
  type PullRequest,
  repositoryOf,
} from '../../core/oci/pull.ts';
import { parseTarget, type Reference, type Repository } from '../../core/oci/reference.ts';
import type { Routing } from '../../core/oci/route.ts';

export interface Errand {
  /** What a mirror can give. Undefined: only the registry itself can. */
  readonly pull: ManifestPull | BlobPull | undefined;
  readonly kind: Pull['kind'] | 'other';
  readonly repository: Repository | undefined;
  /** Manifests that are not the same any more, if the registry does as it is told. */
  readonly changes: readonly Reference[];
  /** It belongs to a push: that asks, or tells, what the registry has. */
  readonly pushes: boolean;
}

/** Of requests to `/v2/` of one registry's own host. */
export function errandOf(request: Omit<PullRequest, 'host'>, registry: string): Errand {
  const { method, target } = request;
  const reads = method === 'GET' || method === 'HEAD';
  // What a push changes, it changes whatever else stands in its query.
  const named = parsed(reads ? request : { method: 'GET', target: target.replace(/[?#].*$/s, '') }, registry);
  const kind = named?.kind ?? 'other';
  const isBlobHead = method === 'HEAD' && kind === 'blob';
  const pull = reads && !isBlobHead && named !== undefined && isPlain(named, target) ? named : undefined;
  return {
    pull,
    kind,
    repository: named && repositoryOf(named),
    changes: (method === 'PUT' || method === 'DELETE') && named?.kind === 'manifest' ? changesOf(named, target) : [],
    pushes: !reads || isBlobHead,
  };
}

function parsed(request: Omit<PullRequest, 'host'>, registry: string): Pull | undefined {
  // Only this registry is meant, whatever stands first in the name.
  const routing: Routing = { registry: () => undefined, byHost: () => undefined, fallback: registry, configured: [] };
  try {
    return parsePull({ ...request, host: undefined }, routing);
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

/** Written as every client writes it. What is written otherwise, the registry may read otherwise. */
function isPlain(pull: Pull, target: string): pull is ManifestPull | BlobPull {
  if (pull.kind === 'manifest') {
    const { repository, target: last } = pull.reference;
    return target === `/v2/${repository.name}/manifests/${last}`;
  }
  return pull.kind === 'blob' && target === `/v2/${pull.repository.name}/blobs/${pull.digest}`;
}

/** Tags may stand in the query of what is put by its digest (distribution-spec, "Pushing Manifests"). */
function changesOf({ reference }: ManifestPull, target: string): readonly Reference[] {
  const tags = new URL(target, 'http://registry').searchParams.getAll('tag');
  return [reference, ...tags.flatMap((tag) => tagged(reference.repository, tag) ?? [])];
}

function tagged(repository: Repository, tag: string): Reference | undefined {
  try {
    return { repository, target: parseTarget(tag) };
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}
