// nginx on another loopback address, serving a registry's storage: where its `redirect` middleware sends whoever wants a blob.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Access, parseAccessLog } from './access-log.ts';
import { configureNginx, startNginx } from './nginx.ts';
import { freePort, type Running } from './process.ts';

export interface Cdn {
  readonly url: string;
  /** What it was asked since the last call of `forget`. */
  accesses(): Promise<Access[]>;
  forget(): Promise<void>;
  stop(): Promise<void>;
  /** On the same port. */
  start(): Promise<void>;
}

const host = '127.0.0.2';

/** `storage`: the root directory of a registry's filesystem storage. Its paths are what the middleware redirects to. */
export async function startCdn(directory: string, storage: string): Promise<Cdn> {
  const port = await freePort(host);
  const own = join(directory, `cdn-${port}`);
  const log = join(own, 'access.log');
  const server = `server { listen ${host}:${port}; root ${storage}; if ($http_authorization) { return 400; } location = /mark { return 204; } }`;
  await configureNginx(own, `access_log ${log} combined; ${server}`);
  const url = `http://${host}:${port}`;
  let running: Running;
  let forgotten = 0;

  const start = async () => void (running = await startNginx(own, host, port));
  /** One worker logs a request before it takes the next: when it has answered this one, the log is complete. */
  const lines = async () => {
    await (await fetch(`${url}/mark`)).bytes();
    return readFile(log, 'utf8');
  };
  await start();
  return {
    url,
    start,
    stop: async () => void (await running.stop('SIGQUIT')),
    accesses: async () => parseAccessLog((await lines()).slice(forgotten)).filter((each) => each.path !== '/mark'),
    forget: async () => void (forgotten = (await lines()).length),
  };
}
