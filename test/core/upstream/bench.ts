// What the tests of core/upstream share: real servers on loopback that say what they are told to, and a clock that only tests move.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import type { Clock } from '../../../src/core/mirror/ports.ts';
import { type Digest, parseDigest } from '../../../src/core/oci/digest.ts';
import { Registries, type Registry } from '../../../src/core/upstream/registries.ts';
import { createUpstream, type Upstreams } from '../../../src/core/upstream/registry.ts';
import { createFetch } from '../../../src/node/fetch.ts';
import { Alarms } from '../../fakes/alarms.ts';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

export interface Origin {
  readonly url: string;
  readonly log: Asked[];
  readonly server: Server;
}

/** A server that is gone when the file's tests are over. */
export async function serve(handle: Handle): Promise<Origin> {
  const log: Asked[] = [];
  const listener: RequestListener = (request, response) => {
    log.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers });
    handle(request, response);
  };
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, log, server };
}

/** An origin that refuses connections. */
export async function nobody(): Promise<string> {
  const { url, server } = await serve(() => {});
  server.close();
  await once(server, 'close');
  return url;
}

/** Sleeping takes no time, but moves the clock. */
export class TestClock implements Clock {
  time = 1_800_000_000_000;
  readonly slept: number[] = [];
  readonly #alarms = new Alarms(() => this.time);
  readonly alarm = this.#alarms.alarm;
  now(): number {
    return this.time;
  }
  forward(ms: number): void {
    this.time += ms;
    this.#alarms.ring();
  }
  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.slept.push(ms);
    this.time += ms;
  }
}

export interface Bench {
  readonly upstream: Upstreams;
  readonly clock: TestClock;
  readonly events: MirrorEvent[];
}

/** An upstream over real connections, with one registry, called `registry.test` if it has no other name; or more. */
export function bench(...configured: (Partial<Registry> & Pick<Registry, 'endpoints'>)[]): Bench {
  const clock = new TestClock();
  const events: MirrorEvent[] = [];
  const { fetch, close } = createFetch();
  after(close);
  const usual = { name: 'registry.test', aliases: [], mirrors: [], realms: [], redirects: [], cdns: [] };
  const entries = configured.map((registry) => ({ ...usual, ...registry }));
  const upstream = createUpstream({
    fetch,
    registries: new Registries(entries, {}),
    clock,
    random: () => 0.5,
    digest: (algorithm, bytes) => createHash(algorithm).update(bytes).digest('hex'),
    registrableDomain: () => undefined,
    report: (event) => void events.push(event),
    version: '1.2.3',
    stalls: { alarm: clock.alarm, after: () => 10_000 },
  });
  return { upstream, clock, events };
}

export type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** The same, with one endpoint of a server that answers so. */
export async function upstreamThat(handle: Handle, prefix = '') {
  const origin = await serve(handle);
  return { ...bench({ endpoints: [origin.url + prefix] }), log: origin.log };
}

export const repository = { registry: 'registry.test', name: 'library/alpine' };

export function sha256(bytes: string | Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

export const ociImage = 'application/vnd.oci.image.manifest.v1+json';
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256('{}'), size: 2 };
export const manifestBytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: ociImage, config, layers: [] }));
export const manifestDigest = sha256(manifestBytes);

export function sendManifest(
  request: IncomingMessage,
  response: ServerResponse,
  headers: Record<string, string> = {},
): void {
  response.writeHead(200, {
    'content-type': `${ociImage}; charset=utf-8`,
    'content-length': manifestBytes.length,
    'docker-content-digest': manifestDigest,
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : manifestBytes);
}

export function send(response: ServerResponse, status: number, headers: Record<string, string> = {}, body = ''): void {
  response.writeHead(status, headers).end(body);
}

export const signal = new AbortController().signal;
