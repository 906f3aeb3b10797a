// The heads of replies: which headers go out is decided here and nowhere else.
import { etagOf } from '../oci/conditional.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { RegistryError } from '../oci/errors.ts';
import { contentRange } from '../oci/range.ts';
import { warningOf } from '../oci/warning.ts';
import type { Outcome } from './events.ts';
import type { Content, Page } from './ports.ts';
import type { Body, Headers, Reply } from './reply.ts';

const none: Body = { kind: 'none' };

/** RFC 9211. */
const cacheStatus = {
  hit: 'sampan; hit',
  stale: 'sampan; hit; detail=stale',
  miss: 'sampan; fwd=miss; stored',
  collapsed: 'sampan; fwd=miss; collapsed',
  forward: 'sampan; fwd=miss',
  'too-large': 'sampan; fwd=miss; detail=too-large',
  pass: 'sampan; fwd=bypass',
  'private-hit': 'sampan; fwd=bypass; detail=kept',
  none: undefined,
} satisfies Record<Outcome, string | undefined>;

function withOutcome(status: number, headers: Headers, body: Body, outcome: Outcome): Reply {
  const told = cacheStatus[outcome];
  return { status, headers: told === undefined ? headers : { ...headers, 'cache-status': told }, body, outcome };
}

/** For who was asked for in his own name: whatever he gets, and from wherever, it is for nobody else. */
export function inConfidence(reply: Reply): Reply {
  if (reply.outcome === undefined || reply.outcome === 'none') return reply;
  const outcome = reply.outcome === 'hit' ? 'private-hit' : 'pass';
  return { ...reply, headers: { ...reply.headers, 'cache-status': cacheStatus[outcome] }, outcome };
}

/** For this account, and perhaps for anybody: who asks in nobody's name is limited just now. A sampan behind relies on it. */
export function unjudged(reply: Reply): Reply {
  return { ...reply, headers: { ...reply.headers, 'cache-status': `${cacheStatus.pass}; detail=limited` } };
}

function named(digest: Digest): Headers {
  return { 'docker-content-digest': digest, etag: etagOf(digest) };
}

/** `bytes` is undefined for HEAD. `trouble`: why this is served although it is stale. */
export function manifestReply(
  descriptor: Descriptor,
  bytes: Uint8Array | undefined,
  outcome: Outcome,
  trouble?: RegistryError,
): Reply {
  const headers: Headers = {
    'content-type': descriptor.mediaType,
    'content-length': String(descriptor.size),
    ...named(descriptor.digest),
    ...warning(trouble),
  };
  return withOutcome(200, headers, bytes === undefined ? none : { kind: 'bytes', bytes }, outcome);
}

/** GET: the whole (200) or a part (206). */
export function blobReply(digest: Digest, content: Content, outcome: Outcome, trouble?: RegistryError): Reply {
  const { size, range } = content;
  const length = range?.length ?? size;
  const headers: Headers = {
    'content-type': 'application/octet-stream',
    ...(length === undefined ? {} : { 'content-length': String(length) }),
    ...(range === undefined || size === undefined ? {} : { 'content-range': contentRange(range, size) }),
    'accept-ranges': 'bytes',
    ...named(digest),
    ...warning(trouble),
  };
  return withOutcome(range === undefined ? 200 : 206, headers, content.body, outcome);
}

/** HEAD. */
export function blobHead(digest: Digest, size: number | undefined, outcome: Outcome, trouble?: RegistryError): Reply {
  return blobReply(digest, { size, range: undefined, body: none }, outcome, trouble);
}

export function notModified(digest: Digest, outcome: Outcome): Reply {
  return withOutcome(304, named(digest), none, outcome);
}

/** `link`: the header that leads to the next page, ours. */
export function pageReply(
  page: Page,
  link: string | undefined,
  head: boolean,
  outcome: Outcome,
  trouble?: RegistryError,
): Reply {
  const headers: Headers = {
    'content-type': page.mediaType,
    'content-length': String(page.bytes.length),
    ...(link === undefined ? {} : { link }),
    ...(page.filters === undefined ? {} : { 'oci-filters-applied': page.filters }),
    ...warning(trouble),
  };
  return withOutcome(200, headers, head ? none : { kind: 'bytes', bytes: page.bytes }, outcome);
}

export function errorReply(error: RegistryError, head: boolean): Reply {
  const bytes = new TextEncoder().encode(error.body());
  const headers: Headers = {
    ...error.headers,
    'content-type': 'application/json',
    'content-length': String(bytes.length),
  };
  return withOutcome(error.status, headers, head ? none : { kind: 'bytes', bytes }, 'none');
}

/** distribution-spec, "Warnings". The text is ours, so that nothing an upstream says gets into a header. */
function warning(trouble: RegistryError | undefined): Headers {
  if (trouble === undefined) return {};
  const why = trouble.status === 429 ? 'limits the rate of requests' : 'cannot be reached or cannot answer';
  return { warning: warningOf(`sampan: the upstream registry ${why}; this is what it last had`) };
}
