// The forward proxies that are compared, each started anew for each measurement, in front of one host.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { need } from '../../test/lab/need.ts';
import { freePort, knock, Running } from '../../test/lab/process.ts';
import { startSampan } from '../../test/lab/sampan.ts';
import type { Way } from './tunnel.ts';

export interface Proxy extends Way {
  readonly pid: number;
  stop(): Promise<unknown>;
}

export interface ProxyKind {
  readonly name: string;
  /** Why this machine cannot run it. */
  readonly missing: string | undefined;
  /** `host`: a port on the loopback. */
  start(directory: string, host: number): Promise<Proxy>;
}

const name = 'registry-1.docker.io';

const sampan: ProxyKind = {
  name: 'sampan',
  missing: undefined,
  async start(directory, host) {
    const port = await freePort('127.0.0.1');
    const proxy = { listen: `127.0.0.1:${port}`, tunnels: 10_000 };
    const more = {
      catalogue: true,
      resolve: { [name]: `127.0.0.1:${host}` },
      log: { level: 'error' },
      stop_within: '1s',
    };
    const running = await startSampan(directory, {}, { ...more, proxy });
    return { port, target: `${name}:443`, pid: running.pid, stop: () => running.stop() };
  },
};

const squid: ProxyKind = {
  name: 'squid',
  missing: need('squid') || undefined,
  async start(directory, host) {
    const port = await freePort('127.0.0.1');
    const file = join(directory, 'squid.conf');
    // It keeps nothing and writes nothing down.
    const configuration = `
      http_port 127.0.0.1:${port}
      http_access allow all
      cache deny all
      cache_mem 0
      access_log none
      cache_log /dev/null
      pid_filename none
      max_filedescriptors 20000
      shutdown_lifetime 0 seconds`;
    await writeFile(file, configuration);
    // Its shared memory has the name of the service, of which the machine may have another.
    const running = new Running('squid', ['-N', '-n', `bench${port}`, '-f', file], { directory });
    await running.until('connection', () => knock('127.0.0.1', port));
    return { port, target: `127.0.0.1:${host}`, pid: running.pid, stop: () => running.stop() };
  },
};

export const proxies: readonly ProxyKind[] = [sampan, squid];
