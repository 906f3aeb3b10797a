// One question to a registry, whichever of its endpoints answers it.
import type { Asker } from '../access/caller.ts';
import type { Clock } from '../mirror/ports.ts';
import type { Digest } from '../oci/digest.ts';
import { RefusedElsewhere, RegistryError, Unreachable } from '../oci/errors.ts';
import type { Repository } from '../oci/reference.ts';
import { drain, refuseEncoded } from './body.ts';
import type { Errand, What } from './compose.ts';
import { refusal, unreachable } from './failure.ts';
import type { Fetch, UpstreamResponse } from './fetch.ts';
import type { Health } from './health.ts';
import { isPrivate, notPublic } from './publicity.ts';
import type { Registries, Registry } from './registries.ts';
import type { Patience } from './stalls.ts';

export interface Question {
  readonly repository: Repository;
  readonly what: What;
  readonly method: 'GET' | 'HEAD';
  /** What stands after `/v2/<name>/`: made of validated parts only. */
  readonly path: string;
  /** A client's, without the question mark. */
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that are answers; every other is thrown. */
  readonly answers: readonly number[];
  readonly as: Asker;
  readonly signal: AbortSignal;
  /** The answer can be verified by a digest, and that the caller may have it has been settled: third parties will do. */
  readonly verifiable: boolean;
  /** What is asked for is named by it. */
  readonly digest?: Digest;
  /** With each who is asked, until there is a head; not given: the transport's own limit is all. */
  readonly patience?: ((breakOff: () => void) => Patience) | undefined;
  /** Who was asked the last time, of endpoints and mirrors, and has brought a part of it. */
  readonly current?: string | undefined;
}

export interface Answer {
  readonly response: UpstreamResponse;
  /** Of the registry's endpoints or mirrors, the one that was asked. */
  readonly endpoint: string;
  readonly url: string;
  readonly host: string;
  /** How many can be asked in its place. */
  readonly others: number;
}

export interface AskingParts {
  readonly registries: Registries;
  readonly exchange: (errand: Errand) => Fetch;
  readonly clock: Clock;
  readonly health: Health;
  readonly userAgent: string;
}

/** No endpoint is asked later than this after the first: a client may be waiting for a head, and containerd gives up after 30 s. */
const longestSearch = 15_000;

/**
 * Puts the question to each endpoint until one has an answer that `read` can make sense of: who is down, overloaded or
 * talks nonsense is passed over, but what a trusted endpoint denies (401, 403, 404) the others are not asked for. Mirrors
 * come last and have no word in that: what they have not, or refuse, says nothing. Throws the first endpoint's failure, and its
 * limit also where another one then denies.
 */
export async function ask<T>(
  parts: AskingParts,
  question: Question,
  read: (answer: Answer) => Promise<T>,
): Promise<T | undefined> {
  const called = question.repository.registry;
  const registry = parts.registries.find(called);
  if (registry === undefined) throw new RegistryError('NAME_UNKNOWN', `${called} is not configured`);
  const { clock, health } = parts;
  const { authorization, ours, isPublic } = question.as;
  const endpoints = endpointsFor(question.as, registry);
  // A login is nothing for a third party, and neither is the name of what somebody needs one for.
  const mayBeTold = (authorization === undefined && ours !== true) || isPublic === true;
  const mirrors = question.verifiable && mayBeTold ? registry.mirrors : [];
  const order = health.inOrder({ endpoints, mirrors, digest: question.digest, current: question.current });
  let failure: { readonly error: unknown } | undefined;
  const began = clock.now();
  for (const endpoint of order) {
    const trusted = endpoints.includes(endpoint);
    if (trusted && failure !== undefined && clock.now() - began > longestSearch) continue;
    try {
      const asked = trusted ? question : { ...question, as: {} };
      const found = await askOne(parts, asked, registry, endpoint, order.length - 1, read);
      if (trusted || found !== undefined) return found;
    } catch (error) {
      question.signal.throwIfAborted();
      if (error instanceof Unreachable) health.failed(endpoint);
      else if (isOurLimit(error, question)) health.limited(endpoint, error.retryAfter);
      if (!trusted) continue;
      if (!(error instanceof RegistryError && error.passing)) throw moreTelling(failure?.error, error);
      failure ??= { error };
    }
  }
  throw failure?.error;
}

/** A login is for whom it is from: whoever has granted it here, else the registry itself, which comes first. */
function endpointsFor({ authorization, grantor }: Asker, { endpoints }: Registry): readonly string[] {
  if (authorization === undefined) return endpoints;
  return grantor === undefined ? endpoints.slice(0, 1) : [grantor];
}

/** Whoever refuses what another one would perhaps give, if it did not limit us, has not said the last word. */
function moreTelling(first: unknown, last: unknown): unknown {
  const isLimit = first instanceof RegistryError && first.status === 429;
  return isLimit && last instanceof RegistryError && [401, 403].includes(last.status) ? first : last;
}

/** What a client's own login has used up says nothing about anybody else's questions. */
function isOurLimit(error: unknown, { as }: Question): error is RegistryError {
  return error instanceof RegistryError && error.status === 429 && as.authorization === undefined;
}

async function askOne<T>(
  parts: AskingParts,
  question: Question,
  registry: Registry,
  endpoint: string,
  others: number,
  read: (answer: Answer) => Promise<T>,
): Promise<T | undefined> {
  const { repository, what } = question;
  const url = new URL(`${endpoint.replace(/\/+$/, '')}/v2/${repository.name}/${question.path}`);
  url.search = question.query ?? '';
  const credentials = question.as.ours === true ? registry.credentials : undefined;
  const exchange = parts.exchange({ registry, endpoint, name: repository.name, what, credentials });
  const response = await headOf(exchange, url, question, headersOf(parts, question));
  if (isPrivate(endpoint, question.as, response)) {
    response.cancel();
    throw notPublic(url.host, response);
  }
  if (question.answers.includes(response.status)) {
    refuseEncoded(response, url.host);
    return read({ response, endpoint, url: url.href, host: url.host, others });
  }
  void drain(response);
  if (response.status === 404 || response.status === 410) return undefined;
  throw refusal(url.host, response, parts.clock.now());
}

async function headOf(
  exchange: Fetch,
  url: URL,
  { method, signal, patience: begin }: Question,
  headers: Record<string, string>,
): Promise<UpstreamResponse> {
  const request = { method, url: url.href, headers, trust: 'configured' } as const;
  if (begin === undefined) return exchange({ ...request, signal });
  const late = new AbortController();
  const patience = begin(() => late.abort(unreachable(url.host, new Error('no head came for too long'))));
  patience.waits();
  try {
    return await exchange({ ...request, signal: AbortSignal.any([signal, late.signal]) });
  } finally {
    patience.end();
  }
}

/** Everything that an upstream ever sees of a request. */
function headersOf(parts: AskingParts, question: Question): Record<string, string> {
  const { authorization } = question.as;
  return {
    'user-agent': parts.userAgent,
    'accept-encoding': 'identity',
    ...question.headers,
    ...(authorization !== undefined && { authorization }),
  };
}

/** For a HEAD that was redirected to who takes only GET: what it would have told is still to be found out. */
export function unsureIfElsewhere(error: unknown): 'unsure' {
  if (error instanceof RefusedElsewhere) return 'unsure';
  throw error;
}
