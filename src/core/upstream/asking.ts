// One question to a registry, whichever of its endpoints answers it.
import type { Asker } from '../access/caller.ts';
import { RefusedElsewhere, RegistryError, Spent, Unreachable } from '../oci/errors.ts';
import type { UpstreamResponse } from './fetch.ts';
import { askInTurn } from './in-turn.ts';
import type { AskingParts, Question } from './question.ts';
import type { Registry } from './registries.ts';

export interface Answer {
  readonly response: UpstreamResponse;
  /** Of the registry's endpoints or mirrors, the one that was asked. */
  readonly endpoint: string;
  readonly url: string;
  readonly host: string;
  /** How many can be asked in its place. */
  readonly others: number;
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
      const found = await askInTurn(parts, asked, registry, endpoint, (response, url) =>
        read({ response, endpoint, url: url.href, host: url.host, others: order.length - 1 }),
      );
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
  if (!(error instanceof RegistryError) || error instanceof Spent) return false;
  return error.status === 429 && as.authorization === undefined;
}

/** For a HEAD that was redirected to who takes only GET: what it would have told is still to be found out. */
export function unsureIfElsewhere(error: unknown): 'unsure' {
  if (error instanceof RefusedElsewhere) return 'unsure';
  throw error;
}
