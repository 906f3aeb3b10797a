// Lists of an upstream: the tags of a repository and what refers to a manifest. Passed on as they are, if they are lists.
import type { Page } from '../mirror/ports.ts';
import { ociIndex } from '../oci/manifest.ts';
import { ask } from './asking.ts';
import { drain, isRecord, type Longest, mebibytes, parseJson, readWhole } from './body.ts';
import { nonsense } from './failure.ts';
import { header } from './fetch.ts';
import { nextQuery } from './link.ts';
import type { AskingParts, Question } from './question.ts';

export interface ListParts extends AskingParts {
  readonly longest: Longest;
}

type Listed = Pick<Question, 'repository' | 'query' | 'as' | 'signal'>;

export function listTags(parts: ListParts, listed: Listed): Promise<Page | undefined> {
  const question = {
    ...listed,
    what: 'tags',
    method: 'GET',
    path: 'tags/list',
    answers: [200],
    verifiable: false,
  } as const;
  return page(parts, { ...question, headers: { accept: 'application/json' } }, 'application/json', isTagList);
}

/** undefined for every status by which registries say that they have no such endpoint: for a valid digest, 400 is one of them. */
export function listReferrers(parts: ListParts, listed: Listed, digest: string): Promise<Page | undefined> {
  const path = `referrers/${digest}`;
  const question = {
    ...listed,
    what: 'referrers',
    method: 'GET',
    path,
    answers: [200, 400, 405, 501],
    verifiable: false,
  } as const;
  return page(parts, { ...question, headers: { accept: ociIndex } }, ociIndex, isIndex);
}

/** The media type is what the body was found to be, whatever it was called. */
function page(
  parts: ListParts,
  question: Question,
  mediaType: string,
  isList: (body: unknown) => boolean,
): Promise<Page | undefined> {
  return ask(parts, question, async ({ response, url, host }) => {
    if (response.status !== 200) return void drain(response);
    const most = parts.longest.list;
    const bytes = await readWhole(response, most, host, parts.clock);
    if (bytes === undefined) throw nonsense(host, `sent a list of more than ${mebibytes(most)}`);
    if (!isList(parseJson(bytes))) throw nonsense(host, 'sent no list where one was expected');
    const next = nextQuery(response.headers['link'], url);
    return { mediaType, bytes, nextQuery: next, filters: header(response.headers, 'oci-filters-applied') };
  });
}

/** Go's encoder writes an empty list as null. */
function isTagList(body: unknown): boolean {
  if (!isRecord(body)) return false;
  const { tags } = body;
  return tags === null || (Array.isArray(tags) && tags.every((tag) => typeof tag === 'string'));
}

function isIndex(body: unknown): boolean {
  return isRecord(body) && Array.isArray(body['manifests']) && body['manifests'].every(isRecord);
}
