// One question to one endpoint: in whose name it is asked, and who is next when that one has used up what he may ask.
import { RegistryError, Spent } from '../oci/errors.ts';
import { drain, refuseEncoded } from './body.ts';
import type { Payer } from './budget.ts';
import { RefusedCredentials, refusal, unreachable } from './failure.ts';
import type { Fetch, UpstreamResponse } from './fetch.ts';
import { isPrivate, notPublic } from './publicity.ts';
import type { AskingParts, Question } from './question.ts';
import type { Registry } from './registries.ts';

type Read<T> = (response: UpstreamResponse, url: URL) => Promise<T>;

/**
 * undefined: it says that there is no such thing. Who has nothing left is not asked with; who is found to have nothing left, or is
 * refused, hands over to the next: what one account may not have, another one may.
 */
export async function askInTurn<T>(
  parts: AskingParts,
  question: Question,
  registry: Registry,
  endpoint: string,
  read: Read<T>,
): Promise<T | undefined> {
  let limit: RegistryError | undefined;
  let denial: RegistryError | undefined;
  let isUnknown = false;
  for (const payer of parts.budgets.inTurn(registry, endpoint, question.as)) {
    try {
      const isFirst = limit === undefined || limit instanceof Spent;
      const found = await askAs(parts, question, payer, isFirst, read);
      if (found !== undefined || question.as.isPublic === true) return found;
      isUnknown = true;
    } catch (error) {
      question.signal.throwIfAborted();
      if (isRefusal(error, question)) parts.budgets.refused(payer);
      if (isLimit(error)) limit = limit === undefined ? error : moreTelling(limit, error);
      else if (isDenial(error)) denial ??= error;
      else throw error;
    }
  }
  if (limit !== undefined) throw limit;
  if (denial !== undefined && !isUnknown) throw denial;
  return undefined;
}

/** What was said just now before what is remembered; else who can be asked again the soonest. */
function moreTelling(one: RegistryError, other: RegistryError): RegistryError {
  const isRemembered = one instanceof Spent;
  if (isRemembered !== other instanceof Spent) return isRemembered ? other : one;
  return other.retryAfter < one.retryAfter ? other : one;
}

function isLimit(error: unknown): error is RegistryError {
  return error instanceof RegistryError && error.status === 429;
}

function isDenial(error: unknown): error is RegistryError {
  if (error instanceof RefusedCredentials) return true;
  return error instanceof RegistryError && [401, 403].includes(error.status);
}

/** Of the account itself, and not of what it may have: what is public nobody else is denied. */
function isRefusal(error: unknown, { as }: Question): boolean {
  return as.isPublic === true ? isDenial(error) : error instanceof RefusedCredentials && error.answered === 401;
}

async function askAs<T>(
  parts: AskingParts,
  question: Question,
  payer: Payer,
  isFirst: boolean,
  read: Read<T>,
): Promise<T | undefined> {
  const { repository, what, method, as } = question;
  const { budgets, clock } = parts;
  const { name } = repository;
  const { registry, endpoint, credentials } = payer;
  // Of what a client's own login has left nothing is known; and nobody has ever counted anything but manifests.
  const isCounted = what === 'manifest' && as.authorization === undefined;
  const spent = isCounted ? budgets.refusal(payer, name, method, isFirst) : undefined;
  if (spent !== undefined) throw spent;
  const heard = isCounted ? (answer: UpstreamResponse) => budgets.heard(payer, name, method, answer) : undefined;
  const url = new URL(`${endpoint.replace(/\/+$/, '')}/v2/${name}/${question.path}`);
  url.search = question.query ?? '';
  const exchange = parts.exchange({ registry, endpoint, name, what, credentials, heard });
  const response = await headOf(exchange, url, question, headersOf(parts, question));
  if (isPrivate(endpoint, as, response)) {
    response.cancel();
    throw notPublic(url.host, response);
  }
  if (question.answers.includes(response.status)) {
    refuseEncoded(response, url.host);
    return read(response, url);
  }
  void drain(response);
  if (response.status === 404 || response.status === 410) return undefined;
  throw refusal(url.host, response, clock.now(), isCounted ? budgets.renewal(payer) : undefined);
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
