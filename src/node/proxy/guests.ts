// Requests of clients that believe to speak with their registry: pulls are the mirror's, everything else is the registry's own.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../../core/access/caller.ts';
import type { Ration, Limit } from '../../core/door/limit.ts';
import type { Rules } from '../../core/access/rules.ts';
import type { Report } from '../../core/mirror/events.ts';
import { badRequest, ofRegistry, unknownError } from '../../core/mirror/face.ts';
import type { Mirror } from '../../core/mirror/mirror.ts';
import type { Clock } from '../../core/mirror/ports.ts';
import { Recent } from '../../core/mirror/recent.ts';
import { errorReply } from '../../core/mirror/replies.ts';
import { discard, type Reply } from '../../core/mirror/reply.ts';
import { RegistryError } from '../../core/oci/errors.ts';
import { hideSecrets } from '../../core/oci/redact.ts';
import type { BlobPull, ManifestPull } from '../../core/oci/pull.ts';
import { repositoryKey } from '../../core/oci/reference.ts';
import { hasBody, sendSafely } from '../http/answer.ts';
import { tlsOf } from '../http/client.ts';
import { BufferPool } from '../buffer-pool.ts';
import { type Errand, errandOf } from './errand.ts';
import type { PassOn } from './pass-on.ts';
import { checkRules } from './ruled.ts';

export interface GuestParts {
  readonly mirror: Pick<Mirror, 'pull' | 'forget'>;
  readonly passOn: Pick<PassOn, 'send'>;
  /** Authorities (PEM) that are believed of that host beside the system's. */
  readonly ca: (host: string) => string | undefined;
  /** Who may pull what at all, as it is at the moment. */
  readonly rules: () => Rules;
  /** The registry has sent the client at that address to https at another host. */
  readonly redirected: (address: string, host: string, registry: string) => void;
  /** As it is configured just now. */
  readonly limit: Limit;
  readonly report: Report;
  readonly clock: Clock;
}

export interface Guest {
  /** The registry's real one, that it has connected to. */
  readonly host: string;
  readonly registry: string;
  readonly client: Caller;
}

interface Decided {
  readonly reply: Reply;
  readonly by: 'mirror' | 'registry';
  readonly ration: Ration | undefined;
}

/** Milliseconds. What nobody in particular gets is not tried again for each request of somebody who does. */
const refusedFor = 60_000;
/** What a push asks the registry for must be what the registry has now, to the end of that push. */
const pushedFor = 600_000;
// What nginx logs for a client that left before there was anything to send.
const clientLeft = 499;

export class Guests {
  readonly #parts: GuestParts;
  readonly #buffers = new BufferPool();
  /** Repositories, and objects, that are not for everybody. */
  readonly #refused: Recent<true>;
  /** Repositories that somebody pushes to. */
  readonly #pushed: Recent<true>;

  constructor(parts: GuestParts) {
    this.#parts = parts;
    this.#refused = new Recent(parts.clock);
    this.#pushed = new Recent(parts.clock);
  }

  /** Resolves when the reply is over, whole or not. Never rejects. */
  async answer(guest: Guest, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { report, clock } = this.#parts;
    const began = clock.now();
    const leaving = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) leaving.abort();
    });
    const errand = errandOf(
      {
        method: request.method ?? '',
        target: request.url ?? '',
        range: request.headers.range,
        ifNoneMatch: request.headers['if-none-match'],
        ifRange: request.headersDistinct['if-range']?.[0],
      },
      guest.registry,
    );
    const { reply, by, ration } = await this.#decide(guest, errand, request, response, leaving.signal);
    // What follows a body that was not read to its end cannot be found.
    if (!request.complete) response.shouldKeepAlive = false;
    const sent = await sendSafely({ report, ways: { buffers: this.#buffers } }, reply, request, response, ration?.pace);
    ration?.over();
    if (by === 'registry') report({ kind: 'received', registry: guest.registry, bytes: sent.bytes });
    report({
      kind: 'served',
      method: request.method ?? '',
      path: hideSecrets((request.url ?? '').replace(/[?#].*$/s, '')),
      what: errand.kind,
      registry: guest.registry,
      status: response.headersSent ? response.statusCode : clientLeft,
      outcome: reply.outcome ?? 'none',
      ms: clock.now() - began,
      address: guest.client.address,
      tls: tlsOf(request.socket),
      ...sent,
    });
  }

  async #decide(
    guest: Guest,
    errand: Errand,
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<Decided> {
    let ration: Ration | undefined;
    try {
      const { method = '', url = '' } = request;
      const blob = errand.kind === 'blob' && method === 'GET';
      ration = await this.#parts.limit(guest.client, { blob, signal });
      checkHost(request, guest.host);
      checkRules(this.#parts.rules(), errand, guest.client, method, url);
      const mirrored = hasBody(request) ? undefined : await this.#mirrored(errand, guest, signal);
      if (mirrored !== undefined) return { reply: mirrored, by: 'mirror', ration };
      const reply = await this.#passedOn(errand, guest, request, response, signal);
      return { reply, by: 'registry', ration };
    } catch (error) {
      if (error instanceof RegistryError) {
        return { reply: ofRegistry(errorReply(error, request.method === 'HEAD')), by: 'mirror', ration };
      }
      if (!signal.aborted) this.#parts.report({ kind: 'bug', error });
      return { reply: ofRegistry(unknownError()), by: 'mirror', ration };
    }
  }

  /**
   * As anybody would get it, whatever login the client shows: what the mirror gives to nobody in particular is public by its own
   * verdict. Undefined if that is nothing, or not for everybody, or trouble of which the registry itself may know nothing.
   */
  async #mirrored({ pull, pushes }: Errand, { client }: Guest, signal: AbortSignal): Promise<Reply | undefined> {
    if (pull === undefined || pushes) return undefined;
    const [repository, object] = keysOf(pull);
    if (this.#refused.get(repository) === true || this.#refused.get(object) === true) return undefined;
    if (pull.head && this.#pushed.get(repository) === true) return undefined;
    const reply = await this.#parts.mirror.pull(pull, client, signal);
    const { status } = reply;
    if (status === 401 || status === 403) this.#refused.set(repository, true, refusedFor);
    // There is no such thing, or it is hidden: of the rest of the repository that says nothing.
    if (status === 404) this.#refused.set(object, true, refusedFor);
    if (![401, 403, 404, 429].includes(status) && status < 500) return ofRegistry(reply);
    await discard(reply.body);
    return undefined;
  }

  async #passedOn(
    { kind, changes, pushes, repository }: Errand,
    { host, registry, client }: Guest,
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<Reply> {
    const { mirror, passOn, ca, redirected, report, clock } = this.#parts;
    if (pushes && repository !== undefined) this.#pushed.set(repositoryKey(repository), true, pushedFor);
    const began = clock.now();
    const tell = (status: number | undefined, error?: unknown): void => {
      const [method = '', ms] = [request.method, clock.now() - began];
      report({ kind: 'asked', registry, host, what: kind, method, status, ms, ...(error !== undefined && { error }) });
    };
    const forget = () => Promise.all(changes.map((reference) => mirror.forget(reference)));
    try {
      const reply = await passOn.send(request, {
        host,
        ca: ca(host),
        signal,
        goOn: () => response.writeContinue(),
        endWithConnection: () => {
          // Where this header was taken away, Node adds no chunks.
          response.removeHeader('transfer-encoding');
          response.shouldKeepAlive = false;
        },
      });
      tell(reply.status);
      // Before the client knows that it is done. A front of the host may fail when the host itself has done it.
      if (reply.status < 400 || reply.status >= 500) await forget();
      const elsewhere = pulls(kind, request) ? elsewhereOf(reply, host) : undefined;
      if (elsewhere !== undefined) redirected(client.address, elsewhere, registry);
      return reply;
    } catch (error) {
      tell(undefined, error);
      // It may have been done all the same.
      await forget();
      throw error;
    }
  }
}

function keysOf(pull: ManifestPull | BlobPull): readonly [repository: string, object: string] {
  const [repository, target] =
    pull.kind === 'manifest' ? [pull.reference.repository, pull.reference.target] : [pull.repository, pull.digest];
  const key = repositoryKey(repository);
  return [key, `${key} ${target}`];
}

/** Throws a RegistryError (421, 400) for what was meant for another host than this connection leads to. */
function checkHost({ headersDistinct, url = '' }: IncomingMessage, host: string): void {
  const [told = '', ...others] = headersDistinct['host'] ?? [];
  if (others.length > 0 || !/^\/[!-~]*$/.test(url)) {
    throw badRequest('a request has one Host header, and a target in ASCII that begins with a slash');
  }
  if (told.toLowerCase().replace(/:443$/, '') === host) return;
  throw new RegistryError('UNSUPPORTED', `this connection was made to ${host}`, { status: 421 });
}

/** Only then it is the registry that says where to go on: other pages of its host may lead wherever a client wants. */
function pulls(kind: Errand['kind'], { method }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && (kind === 'manifest' || kind === 'blob');
}

/** The other host that a redirect leads to. */
function elsewhereOf({ status, headers: { location } }: Reply, host: string): string | undefined {
  if (status < 300 || status >= 400) return undefined;
  if (typeof location !== 'string' || !URL.canParse(location)) return undefined;
  const { protocol, hostname, port } = new URL(location);
  return protocol === 'https:' && port === '' && hostname !== host ? hostname : undefined;
}
