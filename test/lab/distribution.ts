// Debian's docker-registry as an upstream: with token authentication and its blobs at a CDN, or plain.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Access, parseAccessLog } from './access-log.ts';
import { freePort, knock, Running } from './process.ts';
import type { TokenService } from './token-service.ts';

export interface Distribution {
  readonly url: string;
  /** What it was asked since the last call of `forget`. */
  accesses(): Promise<Access[]>;
  forget(): Promise<void>;
  stop(): Promise<void>;
  /** On the same port. */
  start(): Promise<void>;
}

interface Front {
  readonly tokens: TokenService;
  /** Origin of the CDN. */
  readonly cdn: string;
}

/** `front`: undefined for a plain registry, that takes pushes. Several may stand on the same storage. */
export async function startDistribution(directory: string, storage: string, front?: Front): Promise<Distribution> {
  const port = await freePort('127.0.0.1');
  const url = `http://127.0.0.1:${port}`;
  const file = join(directory, `registry-${port}.json`);
  await mkdir(storage, { recursive: true });
  // YAML, as JSON is.
  await writeFile(file, JSON.stringify(configuration(port, storage, front)));
  let running: Running;
  let forgotten = 0;
  let marks = 0;

  const start = async () => {
    running = new Running('docker-registry', ['serve', file], { directory });
    forgotten = 0;
    await running.until('connection', () => knock('127.0.0.1', port));
  };
  /** The log comes through a pipe: a request of our own is its end. Small answers are logged before they are sent. */
  const settle = async () => {
    const mark = `/v2/?mark=${++marks}`;
    await (await fetch(url + mark)).bytes();
    await running.until('line of the access log', async () => {
      if (!running.output.includes(`${mark} `)) throw new Error('not yet');
    });
  };
  await start();
  return {
    url,
    start,
    stop: async () => void (await running.stop()),
    async accesses() {
      await settle();
      return parseAccessLog(running.output.slice(forgotten)).filter((each) => !each.path.startsWith('/v2/?mark='));
    },
    async forget() {
      await settle();
      forgotten = running.output.length;
    },
  };
}

function configuration(port: number, storage: string, front: Front | undefined) {
  return {
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory: storage }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}`, secret: 'lab' },
    ...(front && {
      auth: {
        token: {
          realm: front.tokens.realm,
          service: front.tokens.service,
          issuer: front.tokens.issuer,
          rootcertbundle: front.tokens.certificate,
        },
      },
      middleware: { storage: [{ name: 'redirect', options: { baseurl: front.cdn } }] },
    }),
  };
}
