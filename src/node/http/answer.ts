// One request: the reply to it, in the order in which that is decided, and the event that tells how it went.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Caller } from '../../core/access/caller.ts';
import type { Report } from '../../core/mirror/events.ts';
import type { Clock } from '../../core/mirror/ports.ts';
import { badRequest, callerOf, checkAsking, ofRegistry, unknownError } from '../../core/mirror/face.ts';
import { errorReply } from '../../core/mirror/replies.ts';
import type { Reply } from '../../core/mirror/reply.ts';
import { RegistryError } from '../../core/oci/errors.ts';
import { parsePull, type Pull, type PullRequest } from '../../core/oci/pull.ts';
import type { Routing } from '../../core/oci/route.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { findPage, type PageParts } from './pages.ts';
import { send, type Sent } from './send.ts';

export interface AnswerParts extends PageParts {
  /** Throws if this caller may not pull anything at all. */
  admit(caller: Caller): void;
  pull(pull: Pull, caller: Caller, signal: AbortSignal): Promise<Reply>;
  readonly routing: Routing;
  readonly report: Report;
  readonly clock: Clock;
  readonly buffers: BufferPool;
}

interface Decided {
  readonly reply: Reply;
  /** Undefined if it was none. */
  readonly pull: Pull | undefined;
}

// What nginx logs for a client that left before there was anything to send.
const clientLeft = 499;

/** Resolves when the reply is over, whole or not. Never rejects. */
export async function answer(parts: AnswerParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const address = addressOf(request);
  // Gone already. It must not be asked in its name: a caller without an address is sampan itself.
  if (address === undefined) {
    response.destroy();
    return;
  }
  const began = parts.clock.now();
  const leaving = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) leaving.abort();
  });
  // A body is never read, so what follows it cannot be found.
  if (!isRead(request) || hasBody(request)) response.shouldKeepAlive = false;

  const { reply, pull } = await decide(
    parts,
    request,
    callerOf(address, request.headers.authorization),
    leaving.signal,
  );
  const sent = await sendSafely(parts, reply, request, response);
  parts.report({
    kind: 'served',
    method: request.method ?? '',
    path: pathOf(request),
    what: pull?.kind ?? 'other',
    registry: registryOf(pull),
    status: response.headersSent ? response.statusCode : clientLeft,
    outcome: reply.outcome ?? 'none',
    ms: parts.clock.now() - began,
    address,
    ...sent,
  });
}

async function decide(
  parts: AnswerParts,
  request: IncomingMessage,
  caller: Caller,
  signal: AbortSignal,
): Promise<Decided> {
  let pull: Pull | undefined;
  try {
    checkAsking(request.method ?? '', hasBody(request));
    const page = await findPage(pathOf(request), request.headers.host ?? '', parts);
    if (page !== undefined) return { reply: page, pull };
    // Before the path is looked at: what is configured here is not for everybody to know.
    parts.admit(caller);
    pull = parsePull(pullRequestOf(request), parts.routing);
    return { reply: ofRegistry(await parts.pull(pull, caller, signal)), pull };
  } catch (error) {
    if (error instanceof RegistryError) return { reply: ofRegistry(errorReply(error, false)), pull };
    if (!signal.aborted) parts.report({ kind: 'bug', error });
    return { reply: ofRegistry(unknownError()), pull };
  }
}

async function sendSafely(
  { report, buffers }: AnswerParts,
  reply: Reply,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Sent> {
  try {
    return await send(reply, request, response, buffers);
  } catch (error) {
    report({ kind: 'bug', error });
    return send(ofRegistry(unknownError()), request, response, buffers);
  }
}

function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}

/** Throws a RegistryError (400) if the request has not the one Host header that HTTP/1.1 requires (RFC 9112, section 3.2). */
function pullRequestOf(request: IncomingMessage): PullRequest {
  const { headers, httpVersion, method = '', url = '' } = request;
  const hosts = request.headersDistinct['host'] ?? [];
  const fewest = httpVersion === '1.0' ? 0 : 1;
  if (hosts.length < fewest || hosts.length > 1) throw badRequest('a request has one Host header');
  return {
    method,
    target: url,
    host: headers.host,
    range: headers.range,
    ifNoneMatch: headers['if-none-match'],
    // Node's types do not know this header.
    ifRange: request.headersDistinct['if-range']?.[0],
  };
}

/** Of the peer, never of a header that anybody can write. IPv4 also where the listener is an IPv6 one; without a zone. */
function addressOf({ socket }: IncomingMessage): string | undefined {
  return socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)|%.*$/g, '');
}

/** Without the query, and in a target of absolute form without what may be a login. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/\?.*$/s, '') || '/';
}

function registryOf(pull: Pull | undefined): string | undefined {
  if (pull === undefined || pull.kind === 'ping') return undefined;
  return pull.kind === 'manifest' ? pull.reference.repository.registry : pull.repository.registry;
}
