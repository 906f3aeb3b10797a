// One request at the edge: a mirror of its own over what the isolate remembers, and the reply that it gives.
import { type Access, isAdmitted, takesLogins } from '../core/access/admit.ts';
import type { Caller } from '../core/access/caller.ts';
import { arrive, type Arrival } from '../core/door/arrival.ts';
import { Door } from '../core/door/door.ts';
import { brokenForm, checkForm } from '../core/door/form.ts';
import { isForToken } from '../core/door/token-desk.ts';
import type { Visit } from '../core/door/visit.ts';
import type { Notice } from '../core/edge/tls.ts';
import type { Report } from '../core/mirror/events.ts';
import { checkAsking, ofRegistry, unknownError } from '../core/mirror/face.ts';
import { Mirror } from '../core/mirror/mirror.ts';
import type { DigestOf } from '../core/mirror/ports.ts';
import { errorReply } from '../core/mirror/replies.ts';
import type { Reply } from '../core/mirror/reply.ts';
import { RegistryError } from '../core/oci/errors.ts';
import { usualRegistry } from '../core/oci/route.ts';
import { parseTls } from '../core/oci/tls-version.ts';
import { createUpstream } from '../core/upstream/registry.ts';
import type { Later } from './edge-cache.ts';
import { openEdge } from './edge.ts';
import { createFetch } from './fetch.ts';
import { type Isolate, clock } from './isolate.ts';
import { type Welcome, landing } from './landing.ts';
import { reportOf, write } from './report.ts';
import { stalls } from './stalls.ts';
import { version } from './version.ts';

type Incoming = Request<unknown, IncomingRequestCfProperties>;

/** Never throws. */
export async function answer(isolate: Isolate, request: Incoming, later: Later): Promise<Reply> {
  const notice = isolate.noticeFor?.(parseTls(request.cf?.tlsVersion));
  const report = reportOf(request, isolate.tell, later);
  try {
    return await decide(isolate, request, later, report, notice);
  } catch (error) {
    if (error instanceof RegistryError) return ofRegistry(errorReply(error, false), notice?.warning);
    // A client that has left broke it, and hears nothing.
    if (!request.signal.aborted) report({ kind: 'bug', error });
    return ofRegistry(unknownError(), notice?.warning);
  }
}

async function decide(
  isolate: Isolate,
  request: Incoming,
  later: Later,
  report: Report,
  notice: Notice | undefined,
): Promise<Reply> {
  const arrival = arrivalOf(request);
  const isForm = request.method === 'POST' && isForToken(arrival, isolate.mac);
  if (!isForm) checkAsking(request.method, request.body !== null);
  const told = header(request, 'cf-connecting-ip');
  const address = told ?? 'unknown';
  const host = arrival.host ?? '';
  const page = landing(arrival.path, host, () => welcome(isolate, { address }, host), notice);
  if (page !== undefined) return page;
  const access = accessOf(isolate);
  const edge = openEdge(isolate, arrival.host ?? host, told, later);
  const door = openDoor(isolate, access, edge, request.signal, report);
  const form = isForm ? await readForm(request) : undefined;
  const { reply } = await door.answer(visitOf(request, arrival, address, form), request.signal);
  return ofRegistry(reply, notice?.warning);
}

/** Throws a RegistryError. */
async function readForm(request: Request): Promise<string> {
  checkForm(header(request, 'content-type'), header(request, 'content-length'));
  return request.text().catch((cause: unknown) => {
    throw brokenForm(cause);
  });
}

/** Throws UNAVAILABLE if nobody has said, or not properly, who may pull. */
function accessOf({ wrong, access }: Isolate): Access {
  if (wrong !== undefined) {
    write('error', wrong.message);
    throw unready('its configuration has an error, which `wrangler tail` shows');
  }
  if (access === undefined) {
    throw unready('nobody has said yet who may pull; / says how to (`access` in SAMPAN_CONFIG)');
  }
  return access;
}

function unready(why: string): RegistryError {
  return new RegistryError('UNAVAILABLE', `this mirror serves nothing: ${why}`);
}

function welcome({ wrong, access, registries }: Isolate, caller: Caller, host: string): Welcome {
  if (wrong !== undefined) return { kind: 'wrong' };
  if (access === undefined) return { kind: 'closed' };
  const mustLogIn = !isAdmitted(access, caller);
  if (mustLogIn && !takesLogins(access)) return { kind: 'stranger' };
  const registry = usualRegistry(host, registries);
  const login = registry === undefined ? undefined : registries.find(registry)?.login;
  return { kind: 'guest', guest: { registry, login, mustLogIn, registries: registries.configured } };
}

/** Of this request alone: nothing that is under way is shared with another. */
function openDoor(
  isolate: Isolate,
  access: Access,
  edge: ReturnType<typeof openEdge>,
  signal: AbortSignal,
  report: Report,
): Door {
  const { registries, settings, memory, upstreamMemory, mac, accounts, rules, guesses, limit } = isolate;
  const upstream = createUpstream({
    fetch: createFetch(),
    registries,
    clock,
    random: Math.random,
    digest,
    // Without the public suffix list, which is large: tokens come from the endpoint's own host or from a realm that is pinned.
    registrableDomain: () => undefined,
    memory: upstreamMemory,
    stalls,
    longest,
    version,
    report,
  });
  const mirror = new Mirror({
    upstream,
    access,
    rules,
    ...edge,
    memory,
    clock,
    digest,
    freshness: settings,
    lanes: () => 1,
    credentialed: (registry) => settings(registry).credentials !== undefined,
    report,
    closing: signal,
  });
  return new Door({
    access,
    accounts,
    rules,
    mac,
    guesses,
    limit,
    routing: registries,
    loginMode: (registry) => registries.find(registry)?.login,
    endpoints: (registry) => registries.find(registry)?.endpoints ?? [],
    relay: upstream.relay,
    now: () => clock.now(),
    pull: (pull, caller, leaving) => mirror.pull(pull, caller, leaving),
  });
}

/** Bytes that can be read, hashed and checked within 10 ms of CPU. */
const longest = { manifest: 512 * 1024, list: 1024 * 1024 };

const digest: DigestOf = async (algorithm, bytes) => {
  const hash = await crypto.subtle.digest(algorithm === 'sha256' ? 'SHA-256' : 'SHA-512', bytes);
  return new Uint8Array(hash).toHex();
};

/** In absolute form, with the host in it, and as it came: `new URL` would take dots out. */
function arrivalOf({ url }: Request): Arrival {
  return arrive({ target: url, host: undefined, scheme: url.startsWith('https:') ? 'https' : 'http' });
}

function visitOf(request: Request, arrival: Arrival, address: string, form: string | undefined): Visit {
  return {
    method: request.method,
    arrival,
    address,
    authorization: header(request, 'authorization'),
    form,
    range: header(request, 'range'),
    ifNoneMatch: header(request, 'if-none-match'),
    ifRange: header(request, 'if-range'),
  };
}

function header({ headers }: Request, name: string): string | undefined {
  return headers.get(name) ?? undefined;
}
