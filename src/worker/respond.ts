// Makes workerd's Response of a reply. A body that came from an upstream goes out as it is, without JavaScript.
import type { Body, Headers as ReplyHeaders, Reply } from '../core/mirror/reply.ts';

/** Nothing is cached or compressed by whoever is between us and the client, unless the reply says otherwise. */
const untouched = 'no-store, no-transform';

export function respond({ status, headers, body }: Reply, isHead: boolean): Response {
  const bodiless = isHead || status === 304;
  return new Response(bodiless ? null : bodyOf(body), {
    status,
    headers: headersOf({ 'cache-control': untouched, ...headers }),
    encodeBody: 'manual',
  });
}

function headersOf(headers: ReplyHeaders): Headers {
  const copy = new Headers();
  for (const [name, value] of Object.entries(headers)) {
    for (const each of typeof value === 'string' ? [value] : value) copy.append(name, each);
  }
  return copy;
}

function bodyOf(body: Body): BodyInit | null {
  if (body.kind === 'none') return null;
  if (body.kind === 'bytes') return body.bytes;
  if (body.kind === 'stream' && body.stream instanceof ReadableStream) return body.stream;
  throw new Error(`a Worker sends no body of the kind ${body.kind}`);
}
