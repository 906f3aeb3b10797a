// The upstreams, as the mirror sees them.
import type { DigestOf, Upstream } from '../mirror/ports.ts';
import { blobSource, statBlob } from './blobs.ts';
import { Budgets } from './budget.ts';
import type { Longest } from './body.ts';
import { type ExchangeParts, createExchanges, createIssuerFetch } from './compose.ts';
import { Health } from './health.ts';
import { listReferrers, listTags } from './lists.ts';
import { getManifest, resolveManifest } from './manifests.ts';
import { UpstreamMemory } from './memory.ts';
import type { Registries } from './registries.ts';
import { createRelay, type Relay } from './relay.ts';
import { type StallLimits, Stalls } from './stalls.ts';
import { openUntouched } from './untouched.ts';

export interface UpstreamParts extends Omit<ExchangeParts, 'userAgent' | 'memory' | 'stalls'> {
  readonly registries: Registries;
  readonly digest: DigestOf;
  /** Of its own, if none is given. */
  readonly memory?: UpstreamMemory;
  /** Of bodies that stop coming; whoever gives none dials with a limit of its own. */
  readonly stalls?: StallLimits;
  /** 4 and 8 MiB, if nobody says. */
  readonly longest?: Longest;
  /** Ours, for the user agent. */
  readonly version: string;
}

const usualLongest: Longest = { manifest: 4 * 1024 * 1024, list: 8 * 1024 * 1024 };

/** The registries, the relay to their token services, and what they allow us, as far as they have told. */
export interface Upstreams extends Upstream {
  readonly relay: Relay;
  readonly budgets: () => ReturnType<Budgets['known']>;
}

export function createUpstream(parts: UpstreamParts): Upstreams {
  const { clock } = parts;
  const memory = parts.memory ?? new UpstreamMemory();
  const stalls = parts.stalls && new Stalls(clock, parts.stalls);
  const told = { ...parts, memory, stalls, userAgent: `sampan/${parts.version}` };
  const health = new Health(clock, parts.report, memory);
  const longest = parts.longest ?? usualLongest;
  const budgets = new Budgets(clock, parts.registries, memory);
  const asking = { ...told, longest, exchange: createExchanges(told), health, budgets };
  return {
    resolve: (reference, as, signal) => resolveManifest(asking, reference, as, signal),
    manifest: (reference, as, signal) => getManifest(asking, reference, as, signal),
    stat: (repository, digest, as, signal) => statBlob(asking, repository, digest, as, signal),
    blob: (repository, digest, as) => blobSource(asking, repository, digest, as),
    untouched: (asked, as, signal) => openUntouched(asking, asked, as, signal),
    tags: (repository, query, as, signal) => listTags(asking, { repository, query, as, signal }),
    referrers: (repository, digest, query, as, signal) =>
      listReferrers(asking, { repository, query, as, signal }, digest),
    allowance: (repository) => budgets.allowance(repository),
    budgets: () => budgets.known(),
    relay: createRelay({ ...told, asking: createIssuerFetch(told) }),
  };
}
