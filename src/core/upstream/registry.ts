// The upstreams, as the mirror sees them.
import type { Upstream } from '../mirror/ports.ts';
import { blobSource, statBlob } from './blobs.ts';
import { type ExchangeParts, createExchanges } from './compose.ts';
import { Health } from './health.ts';
import { listReferrers, listTags } from './lists.ts';
import { type DigestOf, getManifest, resolveManifest } from './manifests.ts';
import type { Registries } from './registries.ts';

export interface UpstreamParts extends Omit<ExchangeParts, 'userAgent'> {
  readonly registries: Registries;
  readonly digest: DigestOf;
  /** Ours, for the user agent. */
  readonly version: string;
}

export function createUpstream(parts: UpstreamParts): Upstream {
  const told = { ...parts, userAgent: `sampan/${parts.version}` };
  const asking = { ...told, exchange: createExchanges(told), health: new Health(parts.clock) };
  return {
    resolve: (reference, as, signal) => resolveManifest(asking, reference, as, signal),
    manifest: (reference, as, signal) => getManifest(asking, reference, as, signal),
    stat: (repository, digest, as, signal) => statBlob(asking, repository, digest, as, signal),
    blob: (repository, digest, as) => blobSource(asking, repository, digest, as),
    tags: (repository, query, as, signal) => listTags(asking, { repository, query, as, signal }),
    referrers: (repository, digest, query, as, signal) =>
      listReferrers(asking, { repository, query, as, signal }, digest),
  };
}
