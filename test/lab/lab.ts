// The lab put together: a registry with tokens, its CDN, a plain door to the same storage, and images in it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cdn, startCdn } from './cdn.ts';
import { type Distribution, startDistribution } from './distribution.ts';
import { loadBuilt, loadForeign } from './images.ts';
import type { Upstreams } from './sampan.ts';
import { startTokenService, type TokenService } from './token-service.ts';

/** What `startLab` runs. */
export const parts = ['docker-registry', 'nginx', 'openssl', 'umoci', 'skopeo'];

export interface Lab {
  readonly directory: string;
  readonly tokens: TokenService;
  readonly cdn: Cdn;
  /** With token authentication, blobs redirected to the CDN. */
  readonly upstream: Distribution;
  /** The same storage with neither. */
  readonly plain: Distribution;
  /** Digests of `library/<name>:latest`. */
  readonly digests: Readonly<Record<'multi' | 'docker' | 'bare' | 'sbom', string>>;
  /** The upstream as docker.io in sampan's configuration. */
  readonly registries: Upstreams;
  /** Empties the logs of upstream, CDN and token service. */
  forget(): Promise<void>;
  close(): Promise<void>;
}

export async function startLab(): Promise<Lab> {
  const directory = await temporary();
  const storage = join(directory, 'storage');
  const tokens = await startTokenService(directory);
  const plain = await startDistribution(directory, storage);
  const cdn = await startCdn(directory, storage);
  const upstream = await startDistribution(directory, storage, { tokens, cdn: cdn.url });
  const digests = await loadBuilt(plain.url);
  await loadForeign(plain.url, directory);
  return {
    directory,
    tokens,
    cdn,
    upstream,
    plain,
    digests,
    registries: { 'docker.io': { endpoints: [upstream.url], realms: [tokens.realm], redirects: [cdn.url] } },
    async forget() {
      await upstream.forget();
      await cdn.forget();
      tokens.log.length = 0;
    },
    async close() {
      await Promise.all([upstream.stop(), plain.stop(), cdn.stop(), tokens.close()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function temporary(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'sampan-lab-'));
}
