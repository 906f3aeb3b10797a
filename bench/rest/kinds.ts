// The servers that are compared with what they hold at rest. Each finds again what it has once pulled.
import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Item } from '../../test/fakes/registry/content.ts';
import { need } from '../../test/lab/need.ts';
import { configureNginx, startNginx } from '../../test/lab/nginx.ts';
import { freePort } from '../../test/lab/process.ts';
import { startSampan } from '../../test/lab/sampan.ts';
import { startRegistry } from '../parts/registry-cache.ts';

export interface Resting {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<unknown>;
}

/** Files. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

export interface Ground {
  /** The server's own, for as long as the bench runs. */
  readonly directory: string;
  readonly origin: string;
  /** Where the origin keeps its blobs. */
  readonly storage: string;
  readonly repository: string;
  readonly item: Item;
  readonly tls?: Certificate;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RestingKind {
  readonly name: string;
  /** Why this machine cannot run it. */
  readonly missing: string | undefined;
  start(ground: Ground): Promise<Resting>;
}

export const sampan: RestingKind = {
  name: 'sampan',
  missing: undefined,
  async start({ directory, origin, tls, env }) {
    const settings = { data: join(directory, 'data'), log: { level: 'error' }, stop_within: '1s', ...(tls && { tls }) };
    // It asks by fetch whether it is there, over TLS too.
    return startSampan(directory, { 'docker.io': { endpoints: [origin] } }, settings, env);
  },
};

const withoutRegistry = need('docker-registry') || undefined;

export const cache: RestingKind = {
  name: 'registry',
  missing: withoutRegistry,
  start: ({ directory, origin, tls }) =>
    startRegistry(directory, { storage: join(directory, 'registry'), upstream: origin, tls }),
};

export const registry: RestingKind = {
  name: 'origin',
  missing: withoutRegistry,
  start: ({ directory, storage, tls }) => startRegistry(directory, { storage, tls }),
};

export const files: RestingKind = {
  name: 'nginx',
  missing: need('nginx') || undefined,
  async start({ directory, storage, repository, item, tls }) {
    const port = await freePort('127.0.0.1');
    const root = join(directory, 'root');
    const lies = (digest: string) => {
      const hex = digest.replace('sha256:', '');
      return join(storage, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
    };
    const names = item.blobs.map(({ digest }) => [`blobs/${digest}`, digest] as const);
    const manifests = [`manifests/${item.digest}`, 'manifests/latest'].map((name) => [name, item.digest] as const);
    for (const [name, digest] of [...names, ...manifests]) await link(join(root, 'v2', repository, name), lies(digest));
    const secure = tls && `ssl_certificate ${tls.certificate}; ssl_certificate_key ${tls.key};`;
    await configureNginx(
      directory,
      `access_log off;
      keepalive_requests 10000000;
      server { listen 127.0.0.1:${port} ${tls === undefined ? '' : 'ssl'}; root ${root}; ${secure ?? ''} }`,
    );
    const running = await startNginx(directory, '127.0.0.1', port);
    const url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
    return { url, pid: running.pid, stop: () => running.stop('SIGQUIT') };
  },
};

async function link(path: string, target: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
