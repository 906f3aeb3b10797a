// Manifests of an upstream: what a name points at, and the bytes.
import type { Asker } from '../access/caller.ts';
import type { DigestOf, Resolved } from '../mirror/ports.ts';
import { type Digest, algorithmOf, isDigest, parseDigest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import { type Manifest, acceptManifests, isManifestType, isSchema1, readManifest } from '../oci/manifest.ts';
import { type Reference, isTag } from '../oci/reference.ts';
import { type Answer, ask, unsureIfElsewhere } from './asking.ts';
import { drain, lengthOf, type Longest, mebibytes, mediaTypeOf, readWhole } from './body.ts';
import { header } from './fetch.ts';
import type { AskingParts, Question } from './question.ts';

export interface ManifestParts extends AskingParts {
  readonly digest: DigestOf;
  readonly longest: Longest;
}

/** By a HEAD, or by a GET where the HEAD does not tell enough or is too dear. Never of a mirror: this is also how we learn who may have it. */
export async function resolveManifest(
  parts: ManifestParts,
  reference: Reference,
  as: Asker,
  signal: AbortSignal,
): Promise<Resolved | undefined> {
  const question = {
    ...questionOf(reference, as, signal),
    method: 'HEAD',
    answers: [200, 405, 501],
    verifiable: false,
  } as const;
  const told = parts.budgets.isScarce(reference.repository, as)
    ? 'unsure'
    : await ask(parts, question, async (answer) => {
        void drain(answer.response);
        return describe(answer, reference, parts.longest.manifest);
      }).catch(unsureIfElsewhere);
  if (told !== 'unsure') return told && { descriptor: told };
  const manifest = await fetchManifest(parts, { ...question, method: 'GET', answers: [200] }, reference);
  return manifest && { descriptor: manifest.descriptor, manifest };
}

export function getManifest(
  parts: ManifestParts,
  reference: Reference,
  as: Asker,
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  return fetchManifest(parts, questionOf(reference, as, signal), reference);
}

function questionOf({ repository, target }: Reference, as: Asker, signal: AbortSignal): Question {
  const headers = { accept: acceptManifests };
  const path = `manifests/${target}`;
  return {
    repository,
    what: 'manifest',
    method: 'GET',
    path,
    headers,
    answers: [200],
    as,
    signal,
    verifiable: !isTag(target),
    ...(!isTag(target) && { digest: target }),
  };
}

/** What a HEAD tells, if it tells all of it. An upstream that knows no HEAD does not. */
function describe({ response, host }: Answer, { target }: Reference, most: number): Manifest['descriptor'] | 'unsure' {
  const mediaType = mediaTypeOf(response);
  const size = lengthOf(response);
  const claimed = claimedDigest(response.headers);
  if (response.status !== 200 || size === undefined || !isManifestType(mediaType)) return 'unsure';
  if (size > most) throw tooLarge(host, most);
  if (isTag(target)) return claimed === undefined ? 'unsure' : { mediaType, digest: claimed, size };
  if (claimed !== undefined && contradicts(claimed, target)) throw wrongDigest(host);
  return { mediaType, digest: target, size };
}

function fetchManifest(parts: ManifestParts, question: Question, { target }: Reference): Promise<Manifest | undefined> {
  return ask(parts, question, async (answer) => {
    const { response, host } = answer;
    const most = parts.longest.manifest;
    const bytes = await readWhole(response, most, host, parts.clock);
    if (bytes === undefined) throw tooLarge(host, most);
    const type = header(response.headers, 'content-type');
    const claimed = claimedDigest(response.headers);
    const digest = await digestOf(parts, bytes, isTag(target) ? claimed : target);
    const isOther = !isTag(target) && digest !== target;
    const isContradicted = claimed !== undefined && contradicts(claimed, digest);
    // What schema 1 goes by is not the digest of its bytes, and `readManifest` says so.
    if ((isOther || isContradicted) && !isSchema1(bytes, type)) {
      // Whoever sends a wrong header need not send wrong bytes: nothing to rely on, but no lie.
      if (isOther) parts.health.lied(new Set([answer.endpoint]), target, true);
      throw wrongDigest(host);
    }
    const { mediaType } = readManifest(bytes, type);
    parts.health.sent(answer.endpoint);
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  });
}

/** In the algorithm of `like`; sha256 where nothing says. */
async function digestOf(parts: ManifestParts, bytes: Uint8Array, like: Digest | undefined): Promise<Digest> {
  const algorithm = like === undefined ? 'sha256' : algorithmOf(like);
  return parseDigest(`${algorithm}:${await parts.digest(algorithm, bytes)}`);
}

/** Docker-Content-Digest, if it is there and of an algorithm that we know. */
function claimedDigest(headers: Answer['response']['headers']): Digest | undefined {
  const claimed = header(headers, 'docker-content-digest')?.trim();
  return claimed !== undefined && isDigest(claimed) ? claimed : undefined;
}

/** Digests of different algorithms may be of the same bytes. */
function contradicts(one: Digest, other: Digest): boolean {
  return one !== other && algorithmOf(one) === algorithmOf(other);
}

function wrongDigest(host: string): RegistryError {
  return new RegistryError('MANIFEST_INVALID', `${host} sent a manifest of another digest`, { status: 502 });
}

function tooLarge(host: string, most: number): RegistryError {
  const message = `${host} sent a manifest of more than ${mebibytes(most)}`;
  return new RegistryError('MANIFEST_INVALID', message, { status: 502 });
}
