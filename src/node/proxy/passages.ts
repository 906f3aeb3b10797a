// What the proxy does with whatever comes to its port, one request after the other, and what it tells of each.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Caller } from '../../core/access/caller.ts';
import type { Pace } from '../../core/door/limit.ts';
import type { Report } from '../../core/mirror/events.ts';
import type { Belonging } from '../../core/upstream/hosts.ts';
import { peerOf } from '../http/client.ts';
import type { Turns } from '../http/listener.ts';
import { malformed } from '../http/refuse.ts';
import { admit, type Admission } from './admission.ts';
import { Carriage, type CarriageParts, type Ways } from './carriage.ts';
import { decide, type Decision } from './decide.ts';
import { whyNotTaken } from './manners.ts';
import { refuseRequest, refuseTunnel } from './refusal.ts';
import { Tallies } from './tallies.ts';
import { parseAbsolute, parseTunnel, reject, type Rejection, type Target } from './target.ts';
import type { Intercept, Traffic } from './traffic.ts';

const tooMany = reject(429, 'this proxy has as many tunnels for you as one client may have');

/** As the configuration has it just now. What has begun goes on with what it began with. */
export interface Rules extends Ways, Admission {
  /** Whose a host is, for a client at that address; undefined: nobody's who may be reached. */
  readonly find: (host: string, address: string) => Belonging | undefined;
  /** How fast bytes go to a client. Undefined: as fast as can be. */
  readonly pace: (client: Caller) => Pace | undefined;
  /** That one client may have at once. */
  readonly tunnels: number;
}

export interface PassageParts extends CarriageParts {
  readonly rules: () => Rules;
  /** Undefined: everything is tunnelled. */
  readonly intercept?:
    | { readonly at: (registry: string, host: string) => boolean; readonly take: Intercept }
    | undefined;
  /** Whether whoever is at that address is told how to change the configuration. */
  readonly isOwner: (address: string) => boolean;
  readonly report: Report;
}

/** What is done for one request, by the form that it has. */
interface Acts {
  readonly refuse: (rejection: Rejection) => Promise<void> | void;
  readonly carry: (
    target: Target,
    decision: Exclude<Decision, Rejection>,
    rules: Rules,
    client: Caller,
  ) => Promise<Traffic | Rejection>;
  readonly destroy: () => void;
}

export class Passages implements Turns {
  readonly #parts: PassageParts;
  readonly #tallies = new Tallies();
  readonly #carriage: Carriage;
  readonly #running = new Set<Promise<void>>();

  constructor(parts: PassageParts) {
    this.#parts = parts;
    this.#carriage = new Carriage(parts);
  }

  get open(): number {
    return this.#tallies.total;
  }

  hasten(): void {
    this.#carriage.hasten();
  }

  stop(): void {
    this.#carriage.stop();
  }

  /** Of all that has begun it was told how it ended. */
  async over(): Promise<void> {
    await Promise.all(this.#running);
  }

  connect(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const { intercept, isOwner } = this.#parts;
    const address = peerOf(socket);
    if (address === undefined || socket.destroyed) return gone(socket);
    return this.#follow(request, address, parseTunnel(request.url ?? ''), {
      refuse: (rejection) => refuseTunnel(socket, rejection, isOwner(address)),
      carry: ({ host }, decision, rules, client) =>
        decision.kind === 'intercept' && intercept !== undefined
          ? this.#carriage.intercept(intercept.take, socket, head, { host, registry: decision.registry, client })
          : this.#carriage.tunnel(socket, head, { host, cameBy: request.headers.via }, rules, rules.pace(client)),
      destroy: () => socket.destroy(),
    });
  }

  answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const address = peerOf(request.socket);
    if (address === undefined) return gone(response);
    return this.#follow(request, address, parseAbsolute(request.url ?? ''), {
      refuse: (rejection) => refuseRequest(request, response, rejection, this.#parts.isOwner(address)),
      carry: (target, _, { fetch, pace }, client) =>
        this.#carriage.forward(request, response, target, fetch, pace(client)),
      destroy: () => response.destroy(),
    });
  }

  malformed(socket: Duplex, code: string | undefined): void {
    const { status, message } = malformed(code);
    const address = socket instanceof Socket && socket.writable ? peerOf(socket) : undefined;
    if (address !== undefined) {
      this.#parts.report({ kind: 'refused', address, target: 'what cannot be read', status, why: message });
    }
    refuseTunnel(socket, reject(status, message), false);
  }

  async #follow(request: IncomingMessage, address: string, asked: Target | Rejection, acts: Acts): Promise<void> {
    const running = this.#pass(request, address, asked, acts).catch((error: unknown) => {
      this.#parts.report({ kind: 'bug', error });
      acts.destroy();
    });
    this.#running.add(running);
    await running;
    this.#running.delete(running);
  }

  /** From the decision to the line that tells what came of it. */
  async #pass(request: IncomingMessage, address: string, asked: Target | Rejection, acts: Acts): Promise<void> {
    const { report, clock, intercept, pseudonym } = this.#parts;
    const rules = this.#parts.rules();
    const deny = async (rejection: Rejection): Promise<void> => {
      const { kind: _, headers: __, ...said } = rejection;
      report({ kind: 'refused', address, target: shown(request), ...said });
      await acts.refuse(rejection);
    };
    const admitted = admit(rules, address, request.headers['proxy-authorization']);
    const client = admitted instanceof Promise ? await admitted : admitted;
    if ('kind' in client) return deny(client);
    const why = whyNotTaken(request, pseudonym);
    if (why !== undefined) return deny(why);
    if ('kind' in asked) return deny(asked);
    const decision = decide(asked, {
      find: (host) => rules.find(host, address),
      intercepts: (registry, host) => intercept?.at(registry, host) === true,
    });
    if (decision.kind === 'reject') return deny(decision);
    if (!this.#tallies.enter(address, rules.tunnels)) return deny(tooMany);
    const began = clock.now();
    try {
      const traffic = await acts.carry(asked, decision, rules, client);
      if ('kind' in traffic) return await deny(traffic);
      const { kind: how, registry } = decision;
      report({ kind: 'passed', how, address, host: asked.host, registry, ms: clock.now() - began, ...traffic });
    } finally {
      this.#tallies.leave(address);
    }
  }
}

/** Its client has left before its turn: there is nothing to do, and nobody to tell of. */
async function gone(connection: Socket | ServerResponse): Promise<void> {
  connection.destroy();
}

const longestShown = 100;

/** For the log: without a user, a query, and what is no text. */
function shown({ method = '', url = '' }: IncomingMessage): string {
  const [place = ''] = url.replace(/^.*@/, '').split('?');
  return `${method} ${place.slice(0, longestShown).replaceAll(/[^\x21-\x7e]/g, '?')}`;
}
