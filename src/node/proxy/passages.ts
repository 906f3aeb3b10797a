// What the proxy does with whatever comes to its port, one request after the other, and what it tells of each.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Access } from '../../core/access/admit.ts';
import type { Report } from '../../core/mirror/events.ts';
import type { Clock } from '../../core/mirror/ports.ts';
import type { Fetch } from '../../core/upstream/fetch.ts';
import type { Belonging } from '../../core/upstream/hosts.ts';
import { BufferPool } from '../buffer-pool.ts';
import type { Dial } from '../dial/dial.ts';
import { clientOf } from '../http/client.ts';
import type { Turns } from '../http/listener.ts';
import { malformed } from '../http/refuse.ts';
import { send } from '../http/send.ts';
import { decide, type Decision } from './decide.ts';
import { forward } from './forward.ts';
import { awaitHello } from './hello.ts';
import { whyNotTaken } from './manners.ts';
import { refuseRequest, refuseTunnel } from './refusal.ts';
import { type Every, Rounds } from './rounds.ts';
import { Tallies } from './tallies.ts';
import { parseAbsolute, parseTunnel, reject, type Rejection, type Target } from './target.ts';
import type { Intercept, Traffic } from './traffic.ts';
import { Tunnel, type TunnelLimits } from './tunnel.ts';
import { whyNotReached } from './why-not-reached.ts';

/** Milliseconds until a host has answered. */
const dialWithin = 15_000;
const established = 'HTTP/1.1 200 Connection established\r\n\r\n';
const tooMany = reject(429, 'this proxy has as many tunnels for you as one client may have');
const nothing = { sent: 0, received: 0 } as const;

export interface PassageParts {
  readonly access: Access;
  /** Whose a host is, for a client at that address; undefined: nobody's who may be reached. */
  readonly find: (host: string, address: string) => Belonging | undefined;
  readonly dial: Dial;
  readonly fetch: Fetch;
  /** Undefined: everything is tunnelled. */
  readonly intercept?: { readonly registries: (registry: string) => boolean; readonly take: Intercept } | undefined;
  readonly limits: TunnelLimits & {
    /** For each client. */
    readonly tunnels: number;
  };
  /** What `Via` calls us: no other sampan has the same. */
  readonly pseudonym: string;
  /** Whether whoever is at that address is told how to change the configuration. */
  readonly isOwner: (address: string) => boolean;
  readonly report: Report;
  readonly clock: Clock;
  readonly every: Every;
}

type Passed = Exclude<Decision, Rejection>;

export class Passages implements Turns {
  readonly #parts: PassageParts;
  readonly #tallies: Tallies;
  readonly #rounds: Rounds;
  readonly #tunnels = new Set<Tunnel>();
  readonly #buffers = new BufferPool();
  readonly #via: string;
  #hastens = false;

  constructor(parts: PassageParts) {
    this.#parts = parts;
    this.#tallies = new Tallies(parts.limits.tunnels);
    this.#rounds = new Rounds(() => parts.clock.now(), parts.every);
    this.#via = `1.1 ${parts.pseudonym}`;
  }

  get open(): number {
    return this.#tallies.total;
  }

  /** Who has nothing under way is not waited for. */
  hasten(): void {
    this.#hastens = true;
    for (const tunnel of this.#tunnels) tunnel.hasten();
  }

  stop(): void {
    for (const tunnel of this.#tunnels) tunnel.stop('stopped');
  }

  async connect(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const address = clientOf(request, [])?.address ?? '';
    const target = parseTunnel(request.url ?? '');
    const refuse = (rejection: Rejection) => refuseTunnel(socket, rejection, this.#parts.isOwner(address));
    await this.#pass(request, address, target, refuse, ({ host }, decision) =>
      decision.kind === 'intercept'
        ? this.#intercept(socket, head, host, decision.registry, address)
        : this.#tunnel(socket, head, host),
    ).catch(() => socket.destroy());
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = clientOf(request, [])?.address ?? '';
    const target = parseAbsolute(request.url ?? '');
    const refuse = (rejection: Rejection) => refuseRequest(request, response, rejection, this.#parts.isOwner(address));
    await this.#pass(request, address, target, refuse, (to) => this.#forward(request, response, to)).catch(() =>
      response.destroy(),
    );
  }

  malformed(socket: Duplex, code: string | undefined): void {
    const { status, message } = malformed(code);
    refuseTunnel(socket, reject(status, message), false);
  }

  /** From the decision to the line that tells what came of it. Rejects after a bug, which was told. */
  async #pass(
    request: IncomingMessage,
    address: string,
    asked: Target | Rejection,
    refuse: (rejection: Rejection) => Promise<void> | void,
    carry: (target: Target, decision: Passed) => Promise<Traffic | Rejection>,
  ): Promise<void> {
    const { report, clock, intercept } = this.#parts;
    const deny = async (rejection: Rejection): Promise<void> => {
      const { kind: _, ...said } = rejection;
      report({ kind: 'refused', address, target: shown(request), ...said });
      await refuse(rejection);
    };
    const why = whyNotTaken(request, address, this.#parts);
    if (why !== undefined) return deny(why);
    if ('kind' in asked) return deny(asked);
    const decision = decide(asked, {
      find: (host) => this.#parts.find(host, address),
      intercepts: (registry) => intercept?.registries(registry) === true,
    });
    if (decision.kind === 'reject') return deny(decision);
    if (!this.#tallies.enter(address)) return deny(tooMany);
    const began = clock.now();
    try {
      const traffic = await carry(asked, decision);
      if ('kind' in traffic) return await deny(traffic);
      const { kind: how, registry } = decision;
      report({ kind: 'passed', how, address, host: asked.host, registry, ms: clock.now() - began, ...traffic });
    } catch (error) {
      report({ kind: 'bug', error });
      throw error;
    } finally {
      this.#tallies.leave(address);
    }
  }

  async #tunnel(socket: Socket, head: Buffer, host: string): Promise<Traffic | Rejection> {
    const { dial, limits, clock } = this.#parts;
    const tunnel = new Tunnel(socket, limits);
    let upstream: Socket;
    try {
      const signal = AbortSignal.timeout(dialWithin);
      upstream = await dial({ host, port: 443, trust: 'public' }, { signal, onread: tunnel.onread });
    } catch (error) {
      return whyNotReached(host, error);
    }
    // Each way has an end of its own.
    upstream.allowHalfOpen = true;
    const greeted = await this.#greet(socket, head, host);
    if ('ended' in greeted) {
      upstream.destroy();
      return greeted;
    }
    if (this.#hastens) tunnel.hasten();
    this.#tunnels.add(tunnel);
    this.#rounds.add(tunnel);
    try {
      return await tunnel.run(upstream, greeted, clock.now());
    } finally {
      this.#tunnels.delete(tunnel);
      this.#rounds.delete(tunnel);
    }
  }

  async #intercept(
    socket: Socket,
    head: Buffer,
    host: string,
    registry: string,
    address: string,
  ): Promise<Traffic | Rejection> {
    const greeted = await this.#greet(socket, head, host);
    if ('ended' in greeted) return greeted;
    const { intercept } = this.#parts;
    return intercept === undefined
      ? { ...nothing, ended: 'stopped' }
      : intercept.take(socket, { head: greeted, host }, registry, address);
  }

  /** What the client says first, if that is TLS for this host; else its connection is closed. */
  async #greet(socket: Socket, head: Buffer, host: string): Promise<Buffer | Traffic> {
    socket.write(established);
    const hello = await awaitHello(socket, head, this.#rounds);
    if (typeof hello !== 'string' && hello.name === host) return hello.bytes;
    socket.destroy();
    const ended = typeof hello === 'string' ? hello : 'other-name';
    return { ...nothing, ended };
  }

  async #forward(
    request: IncomingMessage,
    response: ServerResponse,
    { host, path = '/' }: Target,
  ): Promise<Traffic | Rejection> {
    const leaving = new AbortController();
    response.once('close', () => leaving.abort());
    const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
    const parts = { fetch: this.#parts.fetch, via: this.#via, signal: leaving.signal };
    try {
      const reply = await forward({ method, host, path, headers: request.headers }, parts);
      const { bytes, whole, error } = await send(reply, request, response, this.#buffers);
      if (whole) return { ...nothing, received: bytes, ended: 'done' };
      return {
        ...nothing,
        received: bytes,
        ...(error === undefined ? { ended: 'client' } : { ended: 'upstream', error }),
      };
    } catch (error) {
      return leaving.signal.aborted ? { ...nothing, ended: 'client' } : whyNotReached(host, error);
    }
  }
}

const longestShown = 100;

/** For the log: without a user, a query, and what is no text. */
function shown({ method = '', url = '' }: IncomingMessage): string {
  const [place = ''] = url.replace(/^.*@/, '').split('?');
  return `${method} ${place.slice(0, longestShown).replaceAll(/[^\x21-\x7e]/g, '?')}`;
}
