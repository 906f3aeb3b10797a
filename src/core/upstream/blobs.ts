// Blobs of an upstream, as streams that are either whole or throw.
import type { Asker } from '../access/caller.ts';
import type { Incoming, Source } from '../mirror/ports.ts';
import type { Report } from '../mirror/events.ts';
import { type Digest, isOfNothing } from '../oci/digest.ts';
import { NoSenseOfRange, RegistryError } from '../oci/errors.ts';
import type { Repository } from '../oci/reference.ts';
import { unknownBlob } from '../oci/unknown.ts';
import { type Answer, ask, unsureIfElsewhere } from './asking.ts';
import { blobStream } from './blob-stream.ts';
import { drain, lengthOf, refusePage } from './body.ts';
import { nonsense } from './failure.ts';
import { type UpstreamResponse, header } from './fetch.ts';
import type { AskingParts, Question } from './question.ts';
import type { Stalls } from './stalls.ts';

export interface BlobParts extends AskingParts {
  readonly report: Report;
  readonly stalls: Stalls | undefined;
}

/** By a HEAD; where the upstream knows none, or redirects it to who takes only GET, by a GET whose body is not read. */
export async function statBlob(
  parts: BlobParts,
  repository: Repository,
  digest: Digest,
  as: Asker,
  signal: AbortSignal,
): Promise<{ readonly size: number | undefined } | undefined> {
  const head = {
    ...questionOf(repository, digest, as, signal),
    method: 'HEAD',
    answers: [200, 405, 501],
    verifiable: false,
  } as const;
  const told = await ask(parts, head, measure).catch(unsureIfElsewhere);
  const unsure = told === 'unsure' || told?.status === 405 || told?.status === 501;
  return unsure ? ask(parts, { ...head, method: 'GET', answers: [200] }, measure) : told;
}

async function measure({
  response,
  host,
}: Answer): Promise<{ readonly status: number; readonly size: number | undefined }> {
  if (response.status === 200) refusePage(response, host);
  void drain(response);
  return { status: response.status, size: lengthOf(response) };
}

/** Whoever opens it reads the stream, ends it, or aborts the signal: until then it holds a connection. */
export function blobSource(parts: BlobParts, repository: Repository, digest: Digest, as: Asker): Source {
  const { stalls } = parts;
  const patience = stalls && ((breakOff: () => void) => stalls.patience(repository.registry, breakOff));
  const bringers = new Set<string>();
  let current: string | undefined;
  const blame = (surely: boolean) => {
    current = undefined;
    parts.health.lied(bringers, digest, surely && bringers.size === 1);
  };
  return async (offset, signal, end) => {
    const last = end === undefined ? '' : end - 1;
    const ranged = offset > 0 || end !== undefined ? { headers: { range: `bytes=${offset}-${last}` } } : {};
    // Who goes on somewhere waits for a head no longer than for bytes. For the first a client waits, who is told who did not answer.
    const goesOn = bringers.size > 0 ? { patience } : {};
    const question = { ...questionOf(repository, digest, as, signal), ...ranged, ...goesOn, current };
    const wanted = { offset, end };
    const incoming = await ask(parts, question, async (answer) => {
      const opened = open(parts, repository, digest, answer, wanted, signal);
      current = answer.endpoint;
      bringers.add(current);
      return { ...opened, blame };
    });
    if (incoming !== undefined) return incoming;
    throw unknownBlob(repository, digest);
  };
}

export function questionOf(repository: Repository, digest: Digest, as: Asker, signal: AbortSignal): Question {
  return {
    repository,
    what: 'blob',
    method: 'GET',
    path: `blobs/${digest}`,
    answers: [200, 206, 416],
    digest,
    as,
    signal,
    verifiable: true,
  };
}

export interface Part {
  readonly offset: number;
  /** Where it ends, by its own account; Infinity if it gave none. */
  readonly end: number;
  readonly size: number | undefined;
}

function whole(size: number | undefined): Part {
  return { offset: 0, end: size ?? Infinity, size };
}

function open(
  parts: BlobParts,
  { registry }: Repository,
  digest: Digest,
  answer: Answer,
  wanted: { readonly offset: number; readonly end: number | undefined },
  signal: AbortSignal,
): Incoming {
  const { response, host } = answer;
  if (response.status === 416) throw outside(response);
  refusePage(response, host);
  const part = response.status === 206 ? partOf(answer) : whole(lengthOf(response));
  if (part === undefined || (response.status === 206 && part.offset !== wanted.offset)) {
    response.cancel();
    throw new NoSenseOfRange(`${host} sent another part of a blob than it was asked for`);
  }
  // Passed on, it would be complete as soon as its head is out, before anybody could say that it is wrong.
  if (part.size === 0 && !isOfNothing(digest)) {
    response.cancel();
    throw nonsense(host, 'sent nothing where a blob was expected');
  }
  const report = (bytes: number) => parts.report({ kind: 'received', registry, bytes });
  const { health, stalls, clock } = parts;
  const stream = blobStream({
    response,
    host,
    least: Math.min(part.size ?? Infinity, wanted.end ?? Infinity) - part.offset,
    most: part.end - part.offset,
    report,
    patience: () => stalls?.patience(registry, () => response.cancel()),
    sent: () => health.sent(answer.endpoint),
    others: answer.others,
    broke: () => health.failed(answer.endpoint),
    breaks: (why) => parts.report({ kind: 'broke', registry, why }),
    clock,
    signal,
  });
  return { offset: part.offset, end: part.end < Infinity ? part.end : undefined, size: part.size, stream };
}

/** What was asked for lies beyond the end, and the upstream says where that is. */
export function outside(response: UpstreamResponse): RegistryError {
  void drain(response);
  const size = /^bytes \*\/\d{1,15}$/.exec(header(response.headers, 'content-range') ?? '')?.[0];
  const headers: Record<string, string> = size === undefined ? {} : { 'content-range': size };
  return new RegistryError('RANGE_INVALID', 'the range lies outside the blob', { headers });
}

const contentRange = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/;

/** undefined for a 206 that contradicts itself. One that ends too early is in order: its stream will throw, and the rest be asked for. */
export function partOf({ response }: Answer): Part | undefined {
  const [, first, last, total] = (contentRange.exec(header(response.headers, 'content-range') ?? '') ?? []).map(Number);
  if (first === undefined || last === undefined || total === undefined) return undefined;
  if (first > last || last >= total) return undefined;
  const length = lengthOf(response);
  const matches = length === undefined || length === last - first + 1;
  return matches ? { offset: first, end: last + 1, size: total } : undefined;
}
