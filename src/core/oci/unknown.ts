// The two ways in which there is no such thing.
import type { Digest } from './digest.ts';
import { RegistryError } from './errors.ts';
import { type Reference, type Repository, repositoryKey } from './reference.ts';

export function unknownManifest({ repository, target }: Reference): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', `${repositoryKey(repository)} has no manifest ${target}`);
}

export function unknownBlob(repository: Repository, digest: Digest): RegistryError {
  return new RegistryError('BLOB_UNKNOWN', `${repositoryKey(repository)} has no blob ${digest}`);
}
