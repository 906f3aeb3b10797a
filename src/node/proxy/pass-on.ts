// What is no pull goes to the real host as it came, and its answer comes back as it is: logins, pushes, deletes.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { Agent, request as ask } from 'node:https';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { isErrorCode } from '../error-code.ts';
import type { ByteStream, Headers, Reply } from '../../core/mirror/reply.ts';
import { RegistryError, Unreachable } from '../../core/oci/errors.ts';
import type { Dial } from '../dial/dial.ts';
import { hasBody } from '../http/answer.ts';
import { UnbelievedCertificate } from '../../core/upstream/fetch.ts';
import { believing, unbelievedCode } from '../trust.ts';
import { endToEnd } from './end-to-end.ts';

export interface PassOnParts {
  readonly dial: Dial;
  /** What we call ourselves in Via. */
  readonly via: string;
}

export interface Passing {
  readonly host: string;
  /** Authorities (PEM) that are believed of it beside the system's. */
  readonly ca: string | undefined;
  /** The client has left. */
  readonly signal: AbortSignal;
  /** The host is ready for the body that was announced by `Expect: 100-continue`. */
  readonly goOn: () => void;
  /** The answer ends with its connection, so the client is to see that too: a clean end of ours would be a lie if it was cut off. */
  readonly endWithConnection: () => void;
}

/** Milliseconds: until a connection stands with TLS; without a byte either way; and that one is kept for the next request. */
const [connectWithin, longestSilence, keptFor] = [15_000, 300_000, 4000];
/** Of these everybody expects a body; of a body of others, not everybody finds the end. */
const sends: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);
const largestHead = 64 * 1024;

export class PassOn {
  readonly #via: string;
  readonly #agent: Agent;
  /** For requests after which no other shall come on their connection. */
  readonly #alone = new Agent({ maxCachedSessions: 0 });
  readonly #closing = new AbortController();

  constructor({ dial, via }: PassOnParts) {
    this.#via = via;
    // No server closes an idle connection as soon as that, so a body that cannot be sent twice is safe on one.
    this.#agent = new Agent({ keepAlive: true, timeout: keptFor, maxCachedSessions: 0 });
    const create: Agent['createConnection'] = ({ host, ca }, done) => {
      const signal = AbortSignal.any([this.#closing.signal, AbortSignal.timeout(connectWithin)]);
      const tell = async () => done?.(...(await opened(dial, host ?? '', ca as string | undefined, signal)));
      void tell();
      return undefined;
    };
    this.#agent.createConnection = create;
    this.#alone.createConnection = create;
  }

  /**
   * Settles at the head of the answer; then bodies still go both ways. Throws a RegistryError if there is none, or the signal's
   * reason. Redirects are the client's to follow.
   */
  async send(request: IncomingMessage, passing: Passing): Promise<Reply> {
    try {
      const answer = await this.#ask(request, passing);
      const bodiless = request.method === 'HEAD' || answer.statusCode === 204 || answer.statusCode === 304;
      if (bodiless) answer.resume();
      else if (endsWithConnection(answer)) passing.endWithConnection();
      return {
        status: answer.statusCode ?? 502,
        headers: collected(endToEnd(answer.rawHeaders, this.#via)),
        body: bodiless ? { kind: 'none' } : { kind: 'stream', stream: streamOf(answer) },
        outcome: 'pass',
      };
    } catch (error) {
      passing.signal.throwIfAborted();
      if (error instanceof RegistryError) throw error;
      const code = unbelievedCode(error);
      if (code !== undefined) throw new UnbelievedCertificate(passing.host, code, error);
      throw new Unreachable(`${passing.host} cannot be reached`, error);
    }
  }

  close(): void {
    this.#closing.abort(new Error('sampan is stopping'));
    this.#agent.destroy();
    this.#alone.destroy();
  }

  async #ask(request: IncomingMessage, passing: Passing, again = false): Promise<IncomingMessage> {
    const { host, ca, signal, goOn } = passing;
    const { method = '', url: path = '' } = request;
    const headers = [...endToEnd(request.rawHeaders, this.#via, 'content-length'), ...framing(request)];
    const own = {
      host,
      port: 443,
      servername: host,
      // By them, too, the agent tells connections apart.
      ca,
      agent: hasBody(request) && !sends.has(method) ? this.#alone : this.#agent,
      maxHeaderSize: largestHead,
      timeout: longestSilence,
    };
    const asked = ask({ ...own, method, path, headers, signal });
    asked.on('timeout', () => asked.destroy(new Error(`${host} said nothing for ${longestSilence / 1000} s`)));
    asked.on('continue', goOn);
    const { promise: answered, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    asked.once('response', resolve);
    // Also when the answer is there already, and the host wants no more of the body.
    asked.on('error', reject);
    // What switches to another protocol, which nobody asked for, is no answer.
    asked.once('close', () => reject(new Error(`${host} gave no answer`)));
    if (hasBody(request)) request.pipe(asked);
    else asked.end();
    try {
      return await answered;
    } catch (error) {
      // The host closed it at the moment when we took it for this request.
      const stale = asked.reusedSocket && isErrorCode(error, 'ECONNRESET') && !hasBody(request);
      if (!stale || again) throw error;
      return this.#ask(request, passing, true);
    }
  }
}

/** As a callback is told. */
async function opened(...how: Parameters<typeof open>): Promise<[Error | null, Duplex]> {
  try {
    return [null, await open(...how)];
  } catch (error) {
    return [error as Error, undefined as never];
  }
}

async function open(dial: Dial, host: string, ca: string | undefined, signal: AbortSignal): Promise<Duplex> {
  const socket = await dial({ host, port: 443, trust: 'public' }, { signal });
  const believed = ca !== undefined && { secureContext: believing(ca) };
  const secure = connect({ socket, servername: host, ALPNProtocols: ['http/1.1'], minVersion: 'TLSv1.2', ...believed });
  try {
    await once(secure, 'secureConnect', { signal });
    return secure;
  } catch (error) {
    secure.destroy();
    throw error;
  }
}

/** Where the body ends, as our parser found it and nobody else; or, where nothing says that there is one, said so. */
function framing({ headers, method = '' }: IncomingMessage): readonly string[] {
  if (headers['transfer-encoding'] !== undefined) return ['transfer-encoding', 'chunked'];
  const length = headers['content-length'] ?? (sends.has(method) ? '0' : undefined);
  return length === undefined ? [] : ['content-length', length];
}

function collected(pairs: readonly string[]): Headers {
  const headers = new Map<string, string | string[]>();
  for (let at = 0; at < pairs.length; at += 2) {
    const [name, value] = [pairs[at]?.toLowerCase() ?? '', pairs[at + 1] ?? ''];
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : [before, value].flat());
  }
  return Object.fromEntries(headers);
}

/** Nothing but the end of the connection says that this is the end (RFC 9112, section 6.3). */
function endsWithConnection({ headers }: IncomingMessage): boolean {
  return headers['content-length'] === undefined && headers['transfer-encoding'] === undefined;
}

/** Whoever lets go of it before its first chunk ends it too. */
function streamOf(answer: IncomingMessage): ByteStream {
  return {
    [Symbol.asyncIterator]() {
      const chunks = answer[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
      return {
        next: () => chunks.next(),
        return: async () => {
          answer.destroy();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
