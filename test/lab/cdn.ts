// nginx on another loopback address, serving a registry's storage: where its `redirect` middleware sends whoever wants a blob.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Access, parseAccessLog } from './access-log.ts';
import { freePort, knock, Running } from './process.ts';

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
  await mkdir(own, { recursive: true });
  await writeFile(join(own, 'nginx.conf'), configuration(own, log, storage, port));
  const url = `http://${host}:${port}`;
  let running: Running;
  let forgotten = 0;

  const start = async () => {
    running = new Running('nginx', ['-p', own, '-e', join(own, 'error.log'), '-c', join(own, 'nginx.conf')], {
      directory: own,
    });
    await running.until('connection', () => knock(host, port));
  };
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

/** As root, nginx would give its worker to `nobody`, who may not read the lab's directories. */
function configuration(own: string, log: string, storage: string, port: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${own};`);
  return `
    ${process.getuid?.() === 0 ? 'user root root;' : ''}
    daemon off;
    worker_processes 1;
    pid ${own}/pid;
    error_log ${own}/error.log;
    events {}
    http {
      ${temporary.join(' ')}
      access_log ${log} combined;
      default_type application/octet-stream;
      sendfile on;
      server { listen ${host}:${port}; root ${storage}; location = /mark { return 204; } }
    }`;
}
