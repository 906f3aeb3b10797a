// One request at the edge: a mirror of its own over what the isolate remembers, and the reply that it gives.
import { type Access, isAdmitted } from '../core/access/admit.ts';
import type { Caller } from '../core/access/caller.ts';
import { callerOf, checkAsking, ofRegistry, unknownError } from '../core/mirror/face.ts';
import { Mirror } from '../core/mirror/mirror.ts';
import type { DigestOf } from '../core/mirror/ports.ts';
import { errorReply } from '../core/mirror/replies.ts';
import type { Reply } from '../core/mirror/reply.ts';
import { RegistryError } from '../core/oci/errors.ts';
import { parsePull, type PullRequest } from '../core/oci/pull.ts';
import { registryOfHost } from '../core/oci/route.ts';
import { createUpstream } from '../core/upstream/registry.ts';
import { fetchUpstream } from './fetch.ts';
import { type Isolate, clock } from './isolate.ts';
import { type Welcome, landing } from './landing.ts';
import { report, write } from './report.ts';
import { version } from './version.ts';

/** Never throws. */
export async function answer(isolate: Isolate, request: Request): Promise<Reply> {
  try {
    return await decide(isolate, request);
  } catch (error) {
    if (error instanceof RegistryError) return ofRegistry(errorReply(error, false));
    // A client that has left broke it, and hears nothing.
    if (!request.signal.aborted) report({ kind: 'bug', error });
    return ofRegistry(unknownError());
  }
}

async function decide(isolate: Isolate, request: Request): Promise<Reply> {
  checkAsking(request.method, request.body !== null);
  const { host, pathname } = new URL(request.url);
  const caller = callerOf(header(request, 'cf-connecting-ip') ?? 'unknown', header(request, 'authorization'));
  const page = landing(pathname, host, () => welcome(isolate, caller, host));
  if (page !== undefined) return page;
  const mirror = openMirror(isolate, accessOf(isolate), request.signal);
  // Before the path is looked at: what is configured here is not for everybody to know.
  mirror.admit(caller);
  return ofRegistry(await mirror.pull(parsePull(pullRequestOf(request), isolate.registries), caller, request.signal));
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
  if (!isAdmitted(access, caller)) return { kind: 'stranger' };
  return {
    kind: 'guest',
    registry: registryOfHost(host, registries) ?? registries.fallback,
    registries: registries.configured,
  };
}

function openMirror(
  { registries, settings, memory, upstreamMemory, book }: Isolate,
  access: Access,
  signal: AbortSignal,
) {
  const upstream = createUpstream({
    fetch: fetchUpstream,
    registries,
    clock,
    random: Math.random,
    digest,
    // Without the public suffix list, which is large: tokens come from the endpoint's own host or from a realm that is pinned.
    registrableDomain: () => undefined,
    memory: upstreamMemory,
    version,
    report,
  });
  return new Mirror({
    upstream,
    access,
    book,
    memory,
    clock,
    digest,
    freshness: settings,
    lanes: () => 1,
    report,
    closing: signal,
  });
}

const digest: DigestOf = async (algorithm, bytes) => {
  const hash = await crypto.subtle.digest(algorithm === 'sha256' ? 'SHA-256' : 'SHA-512', bytes);
  return new Uint8Array(hash).toHex();
};

function pullRequestOf(request: Request): PullRequest {
  return {
    method: request.method,
    // In absolute form, with the host in it, and as it came: `new URL` would take dots out.
    target: request.url,
    host: undefined,
    range: header(request, 'range'),
    ifNoneMatch: header(request, 'if-none-match'),
    ifRange: header(request, 'if-range'),
  };
}

function header({ headers }: Request, name: string): string | undefined {
  return headers.get(name) ?? undefined;
}
