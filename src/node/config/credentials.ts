// Secrets that stand in files.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SecretPlaces } from '../../config/credentials.ts';

type Found = ReturnType<SecretPlaces['file']>;

/** All that are named. Relative paths begin at `directory`. */
export async function readSecretFiles(
  named: readonly (string | undefined)[],
  directory: string,
): Promise<SecretPlaces['file']> {
  const found = new Map<string, Found>();
  for (const path of named) if (path !== undefined) found.set(path, await readSecret(path, directory));
  return (path) => found.get(path) ?? { says: `${path} was not read` };
}

async function readSecret(path: string, directory: string): Promise<Found> {
  try {
    // Editors end the last line.
    const secret = (await readFile(resolve(directory, path), 'utf8')).replace(/\r?\n$/, '');
    return secret === '' ? { says: `found nothing in ${path}, expected a secret` } : { secret };
  } catch (error) {
    return { says: `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})` };
  }
}
