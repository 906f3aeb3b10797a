// A forward proxy over real connections on loopback, whose clock and whose hosts' addresses are the test's.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import { Hosts } from '../../../src/core/upstream/hosts.ts';
import { catalogue } from '../../../src/core/upstream/catalogue.ts';
import { createDial } from '../../../src/node/dial/dial.ts';
import { createFetch } from '../../../src/node/fetch.ts';
import type { PassageParts, Rules } from '../../../src/node/proxy/passages.ts';
import { createProxy, type Proxy } from '../../../src/node/proxy/proxy.ts';
import { TestClock } from '../../core/upstream/bench.ts';

export interface World {
  readonly proxy: Proxy;
  readonly port: number;
  readonly clock: TestClock;
  readonly events: MirrorEvent[];
  /** What was told of so far, once there is any of that kind. */
  told<Kind extends MirrorEvent['kind']>(kind: Kind): Promise<Extract<MirrorEvent, { kind: Kind }>>;
  /** Time goes by, and whatever has a limit is looked at. */
  pass(ms: number): void;
  /** Sends bytes to the proxy, as a client of its own. */
  connect(): Promise<Socket>;
}

/** `at`: host -> port on loopback, where it is dialled. */
export async function startProxy(
  t: TestContext,
  at: Readonly<Record<string, number>>,
  more: Partial<PassageParts & Rules> = {},
): Promise<World> {
  const clock = new TestClock();
  const events: MirrorEvent[] = [];
  const waiting = new Set<() => void>();
  const ticks = new Set<() => void>();
  const resolve = Object.fromEntries(Object.entries(at).map(([host, port]) => [host, { host: '127.0.0.1', port }]));
  const dial = createDial({ resolve });
  const { fetch, close } = createFetch({ dial });
  const hosts = new Hosts(catalogue);
  const proxy = createProxy({
    rules: () => ({
      access: { kind: 'open' },
      identify: async () => assert.fail('nobody is asked who he is'),
      find: (host) => hosts.find(host),
      dial,
      fetch,
      pace: () => undefined,
      tunnels: 10_000,
      idle: 60_000,
      longest: 3_600_000,
      ...more,
    }),
    pseudonym: 'sampan-test',
    isOwner: () => false,
    report: (event) => {
      events.push(event);
      for (const look of waiting) look();
    },
    // A stop that waits has no business with the test's time.
    clock: { now: () => clock.now(), sleep: (ms, signal) => sleepReally(ms, signal) },
    every: (_, tick) => {
      ticks.add(tick);
      return () => void ticks.delete(tick);
    },
    ...more,
  });
  proxy.server.listen(0, '127.0.0.1');
  await once(proxy.server, 'listening');
  t.after(async () => {
    await proxy.close(0);
    await close();
  });
  const { port } = proxy.server.address() as AddressInfo;
  return {
    proxy,
    port,
    clock,
    events,
    told: (kind) =>
      new Promise((settle) => {
        const look = (): void => {
          const found = events.find((event) => event.kind === kind);
          if (found === undefined) return;
          waiting.delete(look);
          settle(found as never);
        };
        waiting.add(look);
        look();
      }),
    pass(ms) {
      clock.forward(ms);
      for (const tick of ticks) tick();
    },
    async connect() {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.on('error', () => {});
      t.after(() => socket.destroy());
      await once(socket, 'connect');
      return socket;
    },
  };
}

function sleepReally(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    });
  });
}

/** A host that does as it is told with each connection. Returns its port. */
export async function startHost(t: TestContext, handle: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    handle(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Everything until the other side ends; what came, even if it was cut off. */
export async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.readableEnded && !socket.closed) await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  return Buffer.concat(chunks);
}

/** As much as that, or until the end. */
export async function readSome(socket: Socket, enough: (text: string) => boolean): Promise<string> {
  let text = '';
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += (chunk as Buffer).toString('latin1');
    if (enough(text)) break;
  }
  return text;
}

export const established = (text: string): boolean => text.includes('\r\n\r\n');
