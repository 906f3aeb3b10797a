// How what was let in gets to its host and back: by a tunnel, by the mirror in the host's place, or by one request of ours.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Caller } from '../../core/access/caller.ts';
import type { Pace } from '../../core/door/limit.ts';
import type { Clock } from '../../core/mirror/ports.ts';
import type { Fetch } from '../../core/upstream/fetch.ts';
import { BufferPool } from '../buffer-pool.ts';
import type { Dial } from '../dial/dial.ts';
import { send } from '../http/send.ts';
import { Attempt } from './attempt.ts';
import { forward } from './forward.ts';
import { awaitHello } from './hello.ts';
import { type Every, Rounds } from '../../core/oci/rounds.ts';
import type { Rejection, Target } from './target.ts';
import type { Intercept, Traffic } from './traffic.ts';
import { Tunnel, type TunnelLimits } from './tunnel.ts';
import { whyNotReached } from './why-not-reached.ts';

/** How what is opened goes out, and for how long it may. */
export interface Ways extends TunnelLimits {
  readonly dial: Dial;
  readonly fetch: Fetch;
}

export interface CarriageParts {
  /** What `Via` calls us: no other sampan has the same. */
  readonly pseudonym: string;
  readonly clock: Clock;
  readonly every: Every;
}

/** Milliseconds from one look at all that is open to the next. */
const pause = 1000;
const established = 'HTTP/1.1 200 Connection established\r\n\r\n';
const nothing = { sent: 0, received: 0 } as const;

/** Each of its ways resolves when it is over, or with why it could not begin; then the client waits for an answer. */
export class Carriage {
  readonly #parts: CarriageParts;
  readonly #rounds: Rounds;
  readonly #attempts = new Set<Attempt>();
  readonly #tunnels = new Set<Tunnel>();
  readonly #buffers = new BufferPool();
  #hastens = false;

  constructor(parts: CarriageParts) {
    this.#parts = parts;
    this.#rounds = new Rounds(() => parts.clock.now(), parts.every, pause);
  }

  /** Who has nothing under way is not waited for. */
  hasten(): void {
    this.#hastens = true;
    for (const tunnel of this.#tunnels) tunnel.hasten();
  }

  stop(): void {
    for (const attempt of this.#attempts) attempt.stop();
    for (const tunnel of this.#tunnels) tunnel.stop('stopped');
  }

  async tunnel(
    socket: Socket,
    head: Buffer,
    { host, cameBy }: { readonly host: string; readonly cameBy: string | undefined },
    ways: Ways,
    pace: Pace | undefined,
  ): Promise<Traffic | Rejection> {
    const { clock } = this.#parts;
    const tunnel = new Tunnel(socket, ways, pace);
    const attempt = new Attempt(socket, this.#rounds);
    this.#attempts.add(attempt);
    let upstream: Socket;
    try {
      const { signal } = attempt;
      upstream = await ways.dial({ host, port: 443, trust: 'public' }, { signal, onread: tunnel.onread, cameBy });
    } catch (error) {
      if (attempt.ended === undefined) return whyNotReached(host, error);
      socket.destroy();
      return { ...nothing, ended: attempt.ended };
    } finally {
      attempt.over();
      this.#attempts.delete(attempt);
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

  async intercept(
    take: Intercept,
    socket: Socket,
    head: Buffer,
    { host, registry, client }: { readonly host: string; readonly registry: string; readonly client: Caller },
  ): Promise<Traffic | Rejection> {
    const greeted = await this.#greet(socket, head, host);
    if ('ended' in greeted) return greeted;
    return take(socket, { head: greeted, host }, registry, client);
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

  async forward(
    request: IncomingMessage,
    response: ServerResponse,
    { host, path = '/' }: Target,
    fetch: Fetch,
    pace: Pace | undefined,
  ): Promise<Traffic | Rejection> {
    const leaving = new AbortController();
    response.once('close', () => leaving.abort());
    const method = request.method === 'HEAD' ? 'HEAD' : 'GET';
    const parts = { fetch, via: `1.1 ${this.#parts.pseudonym}`, signal: leaving.signal };
    try {
      const reply = await forward({ method, host, path, headers: request.headers }, parts);
      const { bytes, whole, error } = await send(reply, request, response, { buffers: this.#buffers }, pace);
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
