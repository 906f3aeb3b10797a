// One plain http request of a client goes to its host, and the answer back: what belongs to one connection only stays behind.
import type { IncomingHttpHeaders } from 'node:http';
import type { Reply } from '../../core/mirror/reply.ts';
import type { Fetch } from '../../core/upstream/fetch.ts';
import { ofThisHop } from './end-to-end.ts';

/** For us, or made anew by whoever sends. */
const ours = new Set(['host', 'expect', 'content-length']);

export interface Forwarded {
  readonly method: 'GET' | 'HEAD';
  readonly host: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
}

/** `via`: how we call ourselves to those behind us. Throws as Fetch does. */
export async function forward(
  { method, host, path, headers }: Forwarded,
  { fetch, via, signal }: { readonly fetch: Fetch; readonly via: string; readonly signal: AbortSignal },
): Promise<Reply> {
  const sent = { ...joined(passedOn(headers)), via: behind(headers.via, via) };
  const url = `http://${host}${path}`;
  const { status, headers: told, body } = await fetch({ method, url, headers: sent, signal, trust: 'public' });
  const length = told['content-length'];
  return {
    status,
    headers: {
      ...passedOn(told),
      ...(length !== undefined && { 'content-length': length }),
      via: behind(told['via'], via),
    },
    body: { kind: 'stream', stream: body },
  };
}

/** All that it came by (RFC 9110, section 7.6.3). */
function behind(came: string | readonly string[] | undefined, via: string): string {
  return [came ?? [], via].flat().join(', ');
}

type Named = Readonly<Record<string, string | readonly string[]>>;

function passedOn(headers: Readonly<Record<string, string | readonly string[] | undefined>>): Named {
  const stays = ofThisHop(String(headers['connection'] ?? ''));
  const rest = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || stays.has(name) || ours.has(name) ? [] : [[name, value] as const],
  );
  return Object.fromEntries(rest);
}

/** Each in one line, as they may be (RFC 9110, section 5.3). */
function joined(headers: Named): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}
