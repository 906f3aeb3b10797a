// Debian's docker-registry: as a pull-through cache, or in front of what it has.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { need } from '../../test/lab/need.ts';
import { freePort, knock, Running } from '../../test/lab/process.ts';
import type { Kind } from './server.ts';

export interface RegistrySettings {
  readonly storage: string;
  /** As a cache of this one. */
  readonly upstream?: string;
  /** Files. */
  readonly tls?: { readonly certificate: string; readonly key: string } | undefined;
}

export async function startRegistry(directory: string, { storage, upstream, tls }: RegistrySettings) {
  const port = await freePort('127.0.0.1');
  const file = join(directory, 'registry.json');
  // YAML, as JSON is.
  const configuration = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, secret: 'bench', ...(tls && { tls }) },
    ...(upstream !== undefined && { proxy: { remoteurl: upstream } }),
  };
  await writeFile(file, JSON.stringify(configuration));
  const running = new Running('docker-registry', ['serve', file], { directory });
  await running.until('connection', () => knock('127.0.0.1', port));
  const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  return { url, pid: running.pid, stop: () => running.stop() };
}

export const registryCache: Kind = {
  name: 'registry',
  peer: true,
  missing: need('docker-registry') || undefined,
  start: (directory, upstream) => startRegistry(directory, { storage: join(directory, 'registry'), upstream }),
};
