// How the proxy says no: a sentence in the status line, where docker shows it, and again in the body.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ByHand, sendByHand } from '../http/refuse.ts';
import type { Rejection } from './target.ts';

const usual: Readonly<Record<number, ByHand['headers']>> = { 429: { 'retry-after': '10' } };

/** `isOwner`: whoever sits at this machine may be told what to change. */
export function refuseTunnel(socket: Duplex, rejection: Rejection, isOwner: boolean): void {
  sendByHand(socket, answerOf(rejection, isOwner));
}

export async function refuseRequest(
  request: IncomingMessage,
  response: ServerResponse,
  rejection: Rejection,
  isOwner: boolean,
): Promise<void> {
  const { status, phrase, headers, type, body } = answerOf(rejection, isOwner);
  response.shouldKeepAlive = false;
  response.writeHead(status, phrase, {
    ...(headers as Record<string, string>),
    'content-type': type,
    'content-length': Buffer.byteLength(body),
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('close', resolve);
  response.end(request.method === 'HEAD' ? undefined : body);
  return promise;
}

function answerOf({ status, why, remedy, headers = usual[status] ?? {} }: Rejection, isOwner: boolean): ByHand {
  const hint = remedy === undefined || !isOwner ? '' : `To allow it, add to sampan's configuration: ${remedy}\n`;
  return { status, phrase: why, headers, type: 'text/plain; charset=utf-8', body: `${why}\n${hint}` };
}
