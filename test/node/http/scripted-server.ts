// The HTTP face over a scripted pull, on loopback, and clients that see every byte of it.
import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { Guesses } from '../../../src/core/access/guesses.ts';
import { Door, type DoorParts } from '../../../src/core/door/door.ts';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import type { Clock } from '../../../src/core/mirror/ports.ts';
import type { Body, Reply } from '../../../src/core/mirror/reply.ts';
import type { Routing } from '../../../src/core/oci/route.ts';
import type { TrustedPeers } from '../../../src/node/http/client.ts';
import type { Face } from '../../../src/node/http/listener.ts';
import { createServer, type ServerParts } from '../../../src/node/http/server.ts';

export const routing: Routing = {
  registry: (host) => (host === 'docker.io' ? host : undefined),
  byHost: () => undefined,
  fallback: 'docker.io',
  configured: ['docker.io'],
};

export const blobPath = `/v2/library/alpine/blobs/sha256:${'a'.repeat(64)}`;

/** Stands still; who sleeps is woken by hand. */
export class StoppedClock implements Clock {
  readonly #sleepers: (() => void)[] = [];
  #fallen = Promise.withResolvers<void>();

  now(): number {
    return 0;
  }

  sleep(_ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#sleepers.push(resolve);
      this.#fallen.resolve();
      this.#fallen = Promise.withResolvers();
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  /** Resolves as soon as somebody sleeps. */
  async sleeping(): Promise<void> {
    if (this.#sleepers.length === 0) await this.#fallen.promise;
  }

  wakeAll(): void {
    for (const wake of this.#sleepers.splice(0)) wake();
  }
}

/** Open to everybody, with neither accounts nor tokens, unless `parts` says otherwise. */
export function openDoor(pull: DoorParts['pull'], parts: Partial<DoorParts> & Pick<DoorParts, 'routing'>): Door {
  return new Door({
    access: { kind: 'open' },
    accounts: undefined,
    mac: undefined,
    guesses: new Guesses(() => 0),
    loginMode: () => undefined,
    endpoints: () => [],
    relay: async () => {
      throw new Error('nothing is relayed');
    },
    now: () => 0,
    pull,
    ...parts,
  });
}

export interface Scripted {
  readonly face: Face;
  readonly port: number;
  readonly clock: StoppedClock;
  readonly events: MirrorEvent[];
  /** The next event of that kind, or the first that is there already and was not asked for yet. */
  readonly event: <K extends MirrorEvent['kind']>(kind: K) => Promise<Extract<MirrorEvent, { kind: K }>>;
}

/** Serves what `pull` gives, until the test is over. */
export async function serve(
  context: TestContext,
  pull: DoorParts['pull'],
  parts: Partial<ServerParts & DoorParts> & { readonly trustedPeers?: TrustedPeers } = {},
  address = '127.0.0.1',
): Promise<Scripted> {
  const events: MirrorEvent[] = [];
  const taken = new Set<MirrorEvent>();
  let woken = Promise.withResolvers<void>();
  const clock = new StoppedClock();
  const report = (reported: MirrorEvent): void => {
    events.push(reported);
    woken.resolve();
    woken = Promise.withResolvers<void>();
  };
  const door = openDoor(pull, { routing, ...parts });
  const { trustedPeers = [] } = parts;
  const face = createServer({
    serving: () => ({ door, trustedPeers }),
    report,
    clock,
    ready: () => true,
    adminHere: true,
    adminFor: () => true,
    isLocal: () => true,
    ...parts,
  });
  face.server.listen(0, address);
  await once(face.server, 'listening');
  context.after(async () => {
    const closed = face.close(0);
    clock.wakeAll();
    await closed;
  });

  async function event<K extends MirrorEvent['kind']>(kind: K): Promise<Extract<MirrorEvent, { kind: K }>> {
    for (;;) {
      const found = events.find((each) => each.kind === kind && !taken.has(each));
      if (found !== undefined) {
        taken.add(found);
        return found as Extract<MirrorEvent, { kind: K }>;
      }
      await woken.promise;
    }
  }
  return { face, port: (face.server.address() as AddressInfo).port, clock, events, event };
}

export function replyOf(body: Body, headers: Reply['headers'] = {}, status = 200): Reply {
  return { status, headers, body, outcome: 'hit' };
}

export function bytesReply(text: string): Reply {
  return replyOf({ kind: 'bytes', bytes: Buffer.from(text) });
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** False if the body broke off. */
  readonly complete: boolean;
}

/** One request on a connection of its own, or on the agent's. Rejects if there is no head. */
export async function ask(
  port: number,
  path: string,
  options: http.RequestOptions = {},
  body?: string,
): Promise<Answer> {
  const request = http.request({ host: '127.0.0.1', port, path, agent: false, ...options }).end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of response) chunks.push(chunk as Buffer);
  } catch {
    // Told by `complete`.
  }
  const { statusCode = 0, headers, rawHeaders, complete } = response;
  return { status: statusCode, headers, rawHeaders, body: Buffer.concat(chunks), complete };
}

/** A client that writes bytes and collects what comes back. */
export class RawClient {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  #error: NodeJS.ErrnoException | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    socket.on('error', (error) => {
      this.#error = error;
    });
  }

  static async open(context: TestContext, port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false });
    const client = new RawClient(socket);
    context.after(() => socket.destroy());
    await once(socket, 'connect');
    return client;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  send(text: string): void {
    this.socket.write(text);
  }

  /** Waits until what came contains the text. */
  async until(text: string): Promise<void> {
    while (!this.text.includes(text)) {
      if (this.socket.closed) throw new Error(`closed before ${JSON.stringify(text)} came: ${this.text}`);
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
  }

  /** Waits until the connection is closed: by a reset ('ECONNRESET'), or properly (undefined). */
  async closed(): Promise<string | undefined> {
    if (!this.socket.closed) await new Promise((resolve) => this.socket.once('close', resolve));
    return this.#error?.code;
  }
}

/** What the server answers to these bytes, until it closes. */
export async function exchange(context: TestContext, port: number, text: string): Promise<string> {
  const client = await RawClient.open(context, port);
  client.send(text);
  await client.closed();
  return client.text;
}
