// What an image is called: registry, repository, and a tag or a digest.
import { type Digest, isDigest, parseDigest } from './digest.ts';
import { RegistryError } from './errors.ts';

export type Tag = string & { readonly __tag: true };

/** `docker.io` and `library/alpine`. The registry is the name under which it is configured, never an address to dial. */
export interface Repository {
  readonly registry: string;
  readonly name: string;
}

export interface Reference {
  readonly repository: Repository;
  readonly target: Tag | Digest;
}

// distribution-spec, "Pulling manifests". Linear in the length of the name: every separator is followed by an alphanumeric.
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const namePattern = new RegExp(`^${component}(?:/${component})*$`);
// The same for a registry's host, which may have a port, or be an address in brackets.
const hostPattern = new RegExp(`^(?:${component}|\\[[0-9a-f:.]{2,45}\\])(?::[0-9]{1,5})?$`);
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const longestName = 255;

/** Whether text could be what a registry is called, by host or by alias, in lower case. */
export function isRegistryName(text: string): boolean {
  return text.length <= longestName && hostPattern.test(text);
}

/** Adds `library/` to Docker Hub's single-component names. Throws NAME_INVALID (400). */
export function parseRepository(registry: string, name: string): Repository {
  if (name.length > longestName || !namePattern.test(name)) {
    throw new RegistryError(
      'NAME_INVALID',
      `a repository name has at most ${longestName} characters: lower-case letters and digits, separated by one of . _ __ - or /`,
    );
  }
  const official = registry === 'docker.io' && !name.includes('/');
  return { registry, name: official ? `library/${name}` : name };
}

function matchesTag(text: string): text is Tag {
  return tagPattern.test(text);
}

/** Throws TAG_INVALID (400). */
export function parseTag(text: string): Tag {
  if (matchesTag(text)) return text;
  throw new RegistryError(
    'TAG_INVALID',
    'a tag has at most 128 characters: letters, digits, underscores, and after the first also dots and hyphens',
  );
}

/** What stands after `/manifests/`: a digest if it has a colon, else a tag. */
export function parseTarget(text: string): Tag | Digest {
  return text.includes(':') ? parseDigest(text) : parseTag(text);
}

export function isTag(target: Tag | Digest): target is Tag {
  return !isDigest(target);
}

/** One string for a repository, for maps and messages: `docker.io/library/alpine`. */
export function repositoryKey(repository: Repository): string {
  return `${repository.registry}/${repository.name}`;
}
