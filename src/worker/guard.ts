// The guard: a Worker before an origin that tells it how its clients connect, and that may never be the reason for an outage.
import { env } from 'cloudflare:workers';
import { RegistryError } from '../core/oci/errors.ts';
import { ConfigError } from '../config/problem.ts';
import { type GuardTask, readGuardConfig } from './guard-config.ts';
import { write } from './report.ts';
import { askedBy, openSentry } from './sentry.ts';

const { fail, sentry, untold, task } = readGuardConfig((name) => Reflect.get(env, name));
if (untold !== undefined) write('error', `Sentry is not told: ${untold.message}`);
const tell = openSentry(sentry, 'guard');

export default {
  async fetch(request, _, context) {
    // First of all: what goes wrong before this is said, is an outage.
    if (fail === 'open') context.passThroughOnException();
    let headers: Headers;
    try {
      headers = mark(request);
    } catch (error) {
      if (tell !== undefined) context.waitUntil(tell({ error, handled: fail === 'closed', asked: askedBy(request) }));
      write('error', `the guard fails ${fail}: ${String(error)}`);
      // workerd asks the origin itself now. It can, because nobody has touched the body: one that was read would be sent empty.
      if (fail === 'open') throw error;
      return refuse(request, 503, 'the guard before this origin has failed');
    }
    return forward(request, headers);
  },
} satisfies ExportedHandler;

/** Everything that the guard does, before anything of the request is used up. */
function mark(request: Request<unknown, IncomingRequestCfProperties>): Headers {
  if (task instanceof ConfigError) throw task;
  if (isDrill(request.url, task)) throw new Error('a drill: the guard fails here on purpose');
  const headers = new Headers(request.headers);
  // Nothing of what a client says of itself remains: to an origin behind CGI, `X_Edge_Secret` is `X-Edge-Secret`.
  const ours = Object.values(task.headers);
  for (const name of request.headers.keys()) {
    if (ours.includes(name.replaceAll(/[^a-z0-9]/g, '-'))) headers.delete(name);
  }
  headers.set(task.headers.protocol, request.cf?.tlsVersion || 'none');
  headers.set(task.headers.cipher, request.cf?.tlsCipher || 'none');
  if (task.edgeSecret !== undefined) headers.set(task.headers.secret, task.edgeSecret);
  return headers;
}

function isDrill(url: string, { drill }: GuardTask): boolean {
  return drill !== undefined && new URL(url).pathname === drill;
}

/** Bodies go through as they are, both ways. */
async function forward(request: Request, headers: Headers): Promise<Response> {
  try {
    return await fetch(request, { headers });
  } catch (error) {
    // Not a fault of the guard. The origin may have acted on the request, so it is not asked again.
    write('warn', `the origin did not answer: ${String(error)}`);
    return refuse(request, 502, 'the origin behind this guard did not answer');
  }
}

function refuse({ url }: Request, status: number, message: string): Response {
  const isRegistry = /^\/v2(?:\/|$)/.test(new URL(url).pathname);
  const body = isRegistry ? new RegistryError('UNAVAILABLE', message, { status }).body() : `${message}\n`;
  const type = isRegistry ? 'application/json' : 'text/plain; charset=utf-8';
  return new Response(body, { status, headers: { 'content-type': type, 'cache-control': 'no-store' } });
}
