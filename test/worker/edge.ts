// The Worker in a real workerd, on loopback. Not wrangler's own harness: that one fetches for the Worker in Node, and follows redirects.
import { EventEmitter, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { Log, LogLevel, Miniflare } from 'miniflare';
import type { FaceRequest } from '../conformance/face.ts';
import { type Answer, ask as askPort } from '../node/http/scripted-server.ts';

type Json = string | boolean | number | null | Json[] | { [key: string]: Json };

export interface Edge {
  readonly url: URL;
  /** What the Worker wrote into its log. */
  readonly log: readonly string[];
  /** When so many lines of the log say it. They come some time after the answer. */
  logged(what: RegExp, times?: number): Promise<void>;
  /** Sent exactly as it is written. */
  ask(asked: FaceRequest): Promise<Answer>;
  get(target: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  head(target: string, headers?: Readonly<Record<string, string>>): Promise<Answer>;
  close(): Promise<void>;
}

type Binding =
  | ReturnType<typeof rateLimit>
  | { readonly type: 'r2'; readonly name: string }
  | { readonly type: 'worker'; readonly worker: string }
  | { readonly type: 'json'; readonly value: Json };

const root = join(import.meta.dirname, '../..');

/** What Cloudflare lends the Worker. */
export interface Lent {
  /** False: a cache that keeps nothing. */
  readonly cache?: boolean;
  /** A bucket of R2, bound as BLOBS. */
  readonly bucket?: boolean;
  /** A module around the Worker's own, which it imports as `./mirror.js`, and once more as `./other.js`. */
  readonly around?: string;
  /** Requests in a minute of each client, bound as LIMIT. */
  readonly limit?: number;
  /** Whatever else is bound, by name: in Cloudflare's own terms. */
  readonly bound?: Readonly<Record<string, Binding>>;
  /** Code that runs before the Worker's own, to put something else in place of workerd's parts. */
  readonly before?: string;
}

/** As `before`: the Worker's limits of time are so much longer that a crowd on a busy machine does not come to them. */
export const patient = `{
  const later = globalThis.setTimeout;
  globalThis.setTimeout = (ring, ms) => later(ring, 20 * ms);
}`;

/** `config`: the variable SAMPAN_CONFIG; undefined as if nobody had set it. */
export async function startEdge(config?: Json, lent: Lent = {}): Promise<Edge> {
  return startWorker(`${lent.before ?? ''}\n${await bundled('mirror')}`, config, lent);
}

/** Any module in place of the Worker, to compare it with. */
export async function startWorker(contents: string, config?: Json, lent: Lent = {}): Promise<Edge> {
  const log: string[] = [];
  const written = new EventEmitter();
  const miniflare = new Miniflare({
    workers: [
      {
        config: {
          ...deployed(),
          name: 'sampan',
          manifest: {
            mainModule: lent.around === undefined ? 'mirror.js' : 'around.js',
            modulesRoot: root,
            modules: modulesOf(contents, lent.around),
          },
          env: {
            ...(config !== undefined && { SAMPAN_CONFIG: { type: 'json', value: config } as const }),
            ...(lent.limit !== undefined && { LIMIT: rateLimit(lent.limit) }),
            ...(lent.bucket === true && { BLOBS: { type: 'r2', name: 'blobs' } as const }),
            ...lent.bound,
          },
        },
        // Without the local stand-in for Cloudflare's front, which encodes bodies.
        dev: { unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }], cacheAPI: lent.cache ?? true },
      },
    ],
    host: '127.0.0.1',
    port: 0,
    cf: false,
    log: new Log(LogLevel.NONE),
    handleStructuredLogs: ({ message }) => {
      log.push(message);
      written.emit('line');
    },
  });
  await miniflare.ready;
  const url = await miniflare.unsafeGetDirectURL();
  const ask = ({ method = 'GET', target, headers = {}, body }: FaceRequest) =>
    askPort(Number(url.port), target, { method, headers }, body);
  return {
    url,
    log,
    async logged(what, times = 1) {
      while (log.filter((line) => what.test(line)).length < times) await once(written, 'line');
    },
    ask,
    get: (target, headers = {}) => ask({ target, headers }),
    head: (target, headers = {}) => ask({ method: 'HEAD', target, headers }),
    close: () => miniflare.dispose(),
  };
}

type Module = { readonly type: 'esm'; readonly contents: string };

function modulesOf(mirror: string, around: string | undefined): Record<string, Module> {
  const module = (contents: string): Module => ({ type: 'esm', contents });
  if (around === undefined) return { 'mirror.js': module(mirror) };
  return { 'mirror.js': module(mirror), 'other.js': module(mirror), 'around.js': module(around) };
}

export function rateLimit(limit: number) {
  return { type: 'rate-limit', namespace: '1', simple: { limit, period: 60 } } as const;
}

/** What an entry of `src/worker` becomes. */
export async function bundled(entry: 'mirror' | 'guard'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(root, `src/worker/${entry}.ts`)],
    bundle: true,
    format: 'esm',
    target: 'esnext',
    external: ['cloudflare:workers'],
    write: false,
  });
  return outputFiles[0]!.text;
}

/** As wrangler.jsonc has it. */
export function deployed(): { readonly compatibilityDate: string; readonly compatibilityFlags: string[] } {
  const text = readFileSync(join(root, 'wrangler.jsonc'), 'utf8').replaceAll(/^\s*\/\/.*$|,(?=\s*[\]}])/gm, '');
  const config = JSON.parse(text) as { compatibility_date: string; compatibility_flags: string[] };
  return { compatibilityDate: config.compatibility_date, compatibilityFlags: config.compatibility_flags };
}

export function errorOf({ body }: Pick<Answer, 'body'>): {
  readonly code: string;
  readonly message: string;
  readonly detail?: unknown;
} {
  const { errors } = JSON.parse(body.toString()) as { errors: { code: string; message: string; detail?: unknown }[] };
  return errors[0]!;
}
