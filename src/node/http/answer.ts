// One request: the reply to it, in the order in which that is decided, and the event that tells how it went.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { arrive, type Arrival } from '../../core/door/arrival.ts';
import type { Asked, Door } from '../../core/door/door.ts';
import { identify, type IdentityParts } from '../../core/door/identity.ts';
import type { Visit } from '../../core/door/visit.ts';
import type { Ration, Pace } from '../../core/door/limit.ts';
import type { NoticeFor } from '../../core/edge/tls.ts';
import type { Report } from '../../core/mirror/events.ts';
import type { Clock } from '../../core/mirror/ports.ts';
import { badRequest, checkAsking, ofRegistry, unknownError } from '../../core/mirror/face.ts';
import { errorReply } from '../../core/mirror/replies.ts';
import type { Reply } from '../../core/mirror/reply.ts';
import { RegistryError } from '../../core/oci/errors.ts';
import { parseLogin } from '../../core/oci/login.ts';
import { repositoryOf } from '../../core/oci/pull.ts';
import { type Client, clientOf, type Edge, isPassedOn, type TrustedPeers } from './client.ts';
import { readForm } from './form.ts';
import { findPage, type PageParts, type Reader } from './pages.ts';
import type { Round } from './round.ts';
import { send, type Sent } from './send.ts';
import type { FileWays } from './send-file.ts';

/** What the configuration says of those who come. */
export interface Welcoming {
  readonly door: Door;
  /** Where accounts are found of which one is an administrator's. */
  readonly admins?: IdentityParts | undefined;
  readonly trustedPeers: TrustedPeers;
  /** Somebody before us who tells how clients are connected. */
  readonly edge?: Edge | undefined;
  /** What each is told of his version of TLS. */
  readonly noticeFor?: NoticeFor | undefined;
}

export interface AnswerParts extends PageParts {
  /** As it is at the moment; a request that has begun keeps its own. */
  readonly serving: () => Welcoming;
  readonly report: Report;
  readonly clock: Clock;
  readonly ways: FileWays;
  readonly round: Round;
}

interface Decided {
  readonly reply: Reply;
  /** Undefined if it was nothing that anybody answers. */
  readonly asked: Asked | 'page' | undefined;
  readonly ration?: Ration | undefined;
}

// What nginx logs for a client that left before there was anything to send.
const clientLeft = 499;

/** Resolves when the reply is over, whole or not. Never rejects. */
export async function answer(
  parts: AnswerParts,
  request: IncomingMessage,
  response: ServerResponse,
  isUrged: () => boolean,
): Promise<void> {
  const serving = parts.serving();
  const client = clientOf(request, serving.trustedPeers, serving.edge);
  // Gone already.
  if (client === undefined) {
    response.destroy();
    return;
  }
  const { host } = request.headers;
  const arrival = arrive({ target: request.url ?? '', host, scheme: client.scheme });
  const began = parts.clock.now();
  const leaving = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) leaving.abort();
  });
  // A body is never read, but for a form; so what follows it cannot be found.
  if (!isRead(request) || hasBody(request)) response.shouldKeepAlive = false;

  const { reply, asked, ration } = await decide(parts, serving, request, arrival, client, leaving.signal);
  // Who sends several in one go and then closes his side would be gone after the first round.
  if (!isUrged()) await parts.round.end();
  const sent = await sendSafely(parts, reply, request, response, ration?.pace);
  ration?.over();
  parts.report({
    kind: 'served',
    method: request.method ?? '',
    path: arrival.path,
    what: asked === 'page' ? asked : (asked?.kind ?? 'other'),
    registry: registryOf(asked),
    status: response.headersSent ? response.statusCode : clientLeft,
    outcome: reply.outcome ?? 'none',
    ms: parts.clock.now() - began,
    address: client.address,
    tls: client.tls,
    ...sent,
  });
}

async function decide(
  parts: AnswerParts,
  { door, admins, trustedPeers, noticeFor }: Welcoming,
  request: IncomingMessage,
  arrival: Arrival,
  client: Client,
  signal: AbortSignal,
): Promise<Decided> {
  const isForm = request.method === 'POST' && door.isForToken(arrival);
  const notice = noticeFor?.(client.tls);
  const ofUs = (reply: Reply): Reply => ofRegistry(reply, notice?.warning);
  try {
    if (!isForm) checkAsking(request.method ?? '', hasBody(request));
    const { host = '', authorization } = request.headers;
    const reader: Reader = {
      host,
      notice,
      isHere: () => parts.isLocal(client.address) && !isPassedOn(request, trustedPeers),
      scheme: client.scheme,
      logIn: admins && (() => identify(admins, parseLogin(authorization), client.address)),
    };
    const page = findPage(arrival.path, reader, parts);
    if (page !== undefined) return { reply: await page, asked: 'page' };
    const form = isForm ? await readForm(request) : undefined;
    const { reply, asked, ration } = await door.answer(visitOf(request, arrival, client, form), signal);
    return { reply: ofUs(reply), asked, ration };
  } catch (error) {
    if (error instanceof RegistryError) return { reply: ofUs(errorReply(error, false)), asked: undefined };
    const asked = { method: request.method ?? '', url: arrival.path };
    if (!signal.aborted) parts.report({ kind: 'bug', error, asked });
    return { reply: ofUs(unknownError()), asked: undefined };
  }
}

export async function sendSafely(
  { report, ways }: Pick<AnswerParts, 'report' | 'ways'>,
  reply: Reply,
  request: IncomingMessage,
  response: ServerResponse,
  pace?: Pace,
): Promise<Sent> {
  try {
    return await send(reply, request, response, ways, pace);
  } catch (error) {
    report({ kind: 'bug', error });
    return send(ofRegistry(unknownError()), request, response, ways);
  }
}

function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
}

/** Throws a RegistryError (400) if the request has not the one Host header that HTTP/1.1 requires (RFC 9112, section 3.2). */
function visitOf(request: IncomingMessage, arrival: Arrival, client: Client, form: string | undefined): Visit {
  const { headers, httpVersion, method = '' } = request;
  const fewest = httpVersion === '1.0' ? 0 : 1;
  const hosts = countHosts(request);
  if (hosts < fewest || hosts > 1) throw badRequest('a request has one Host header');
  return {
    method,
    arrival,
    address: client.address,
    authorization: headers.authorization,
    form,
    range: headers.range,
    ifNoneMatch: headers['if-none-match'],
    // Node's types do not know this header. Of several it makes one that never matches.
    ifRange: headers['if-range'] as string | undefined,
  };
}

/** Node keeps the first of several, or makes one of them. */
function countHosts({ rawHeaders }: IncomingMessage): number {
  let count = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

function registryOf(asked: Decided['asked']): string | undefined {
  return asked === undefined || asked === 'page' || asked.kind === 'token' ? undefined : repositoryOf(asked)?.registry;
}
