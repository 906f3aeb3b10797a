// An intercepted registry: the real host with TLS, the interception before it, and a client that trusts the authority of that.
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, RequestListener } from 'node:http';
import { Agent, createServer as createHost, request, type RequestOptions } from 'node:https';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after } from 'node:test';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import type { Limit } from '../../../src/core/door/limit.ts';
import type { Rules } from '../../../src/core/access/rules.ts';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import { issueLeaf, issuerOf, makeAuthority, makeKey } from '../../../src/node/proxy/certificates.ts';
import { createInterception } from '../../../src/node/proxy/intercept.ts';
import { Leaves } from '../../../src/node/proxy/leaves.ts';
import { PassOn } from '../../../src/node/proxy/pass-on.ts';
import type { Traffic } from '../../../src/node/proxy/traffic.ts';
import { world, type World } from '../../core/mirror/world.ts';

export const host = 'registry-1.docker.io';

export interface HostAsked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Intercepted extends World {
  /** What the real host was asked. */
  readonly hostAsked: HostAsked[];
  /** How it answers from now on; a 404 to everything, if nobody says. */
  answers(then: RequestListener): void;
  /** The same, before a body has come. */
  answersAtOnce(then: RequestListener): void;
  readonly redirects: string[];
  readonly traffic: Promise<Traffic>[];
  /** Of the authority. */
  readonly ca: string;
  readonly port: number;
  ask(method: string, path: string, more?: RequestOptions & { readonly body?: string }): Promise<Answered>;
}

/**
 * Ends with the test file. `named`: what the certificate of the real host says. `privately`: its authority is one of the registry's
 * own, or of none, and this process does not believe it.
 */
export async function intercepted(
  named = host,
  privately?: 'its own' | 'of none',
  rules: Rules = [],
  limit: Limit = async () => undefined,
): Promise<Intercepted> {
  const around = await world({ rules });
  const { clock, events } = around;
  // Certificates are looked at by the clock of the machine.
  const now = Date.now();
  const real = makeAuthority([named], now);
  if (privately === undefined) setDefaultCACertificates([...getCACertificates('default'), real.certificate]);
  const key = makeKey();
  const cert = issueLeaf(issuerOf(real), { host: named, key, from: now - 1000, until: now + 100_000 });

  const hostAsked: HostAsked[] = [];
  let how = noted((_, response) => response.writeHead(404).end());
  /** A body that was announced is left for the listener to read. */
  function noted(then: RequestListener): RequestListener {
    return (incoming, response) => {
      void (async () => {
        const { method = '', url = '', headers } = incoming;
        const body = headers.expect === undefined ? (await buffer(incoming)).toString() : '';
        hostAsked.push({ method, url, headers, body });
        then(incoming, response);
      })();
    };
  }
  const behind = createHost({ key, cert }, (incoming, response) => how(incoming, response));
  behind.on('checkContinue', (incoming: IncomingMessage, response) => how(incoming, response));
  const hostPort = await listening(behind);

  const { key: own, certificate: ca } = makeAuthority([host], now);
  const authority = {
    key: own,
    certificate: ca,
    directory: '',
    domains: [host],
    from: now,
    until: now + 1e9,
    fingerprint: '',
  };
  const redirects: string[] = [];
  const passOn = new PassOn({ dial: async () => connected(hostPort), via: 'sampan-test' });
  const interception = createInterception({
    leaves: new Leaves(authority, () => Date.now()),
    mirror: { pull: (...all) => around.mirror.pull(...all), forget: (what) => around.mirror.forget(what) },
    passOn,
    ca: () => (privately === 'its own' ? real.certificate : undefined),
    limit,
    rules: () => rules,
    redirected: (address, elsewhere, registry) => void redirects.push(`${registry} sent ${address} to ${elsewhere}`),
    report: (event: MirrorEvent) => void events.push(event),
    clock,
  });
  const traffic: Promise<Traffic>[] = [];
  const front = createServer((socket) => {
    socket.on('error', () => {});
    traffic.push(interception.take(socket, { head: Buffer.alloc(0), host }, 'docker.io', { address: '192.0.2.7' }));
  });
  const port = await listening(front);
  const agent = new Agent({ keepAlive: true });
  after(async () => {
    agent.destroy();
    front.close();
    await interception.close(0);
    passOn.close();
    behind.close();
    behind.closeAllConnections();
  });

  return {
    ...around,
    get mirror() {
      return around.mirror;
    },
    get store() {
      return around.store;
    },
    hostAsked,
    answers: (then) => void (how = noted(then)),
    answersAtOnce: (then) => void (how = then),
    redirects,
    traffic,
    ca,
    port,
    async ask(method, path, { body, headers, ...more } = {}) {
      const to = { host: '127.0.0.1', port, servername: host, ca, agent, method, path };
      const asked = request({ ...to, headers: { host, ...(headers as object) }, ...more });
      asked.end(body);
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      return { status: answer.statusCode ?? 0, headers: answer.headers, body: await buffer(answer) };
    },
  };
}

async function listening(server: ReturnType<typeof createServer>): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}
