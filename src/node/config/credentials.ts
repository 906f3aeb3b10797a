// Passwords that stand in files.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { PasswordPlaces } from '../../config/credentials.ts';
import type { RegistrySettings } from '../../config/registries.ts';

type Found = ReturnType<PasswordPlaces['file']>;

/** All that the registries name. Relative paths begin at `directory`. */
export async function readPasswordFiles(
  registries: Readonly<Record<string, RegistrySettings>>,
  directory: string,
): Promise<PasswordPlaces['file']> {
  const named = Object.values(registries).flatMap(({ credentials }) => credentials?.password_file ?? []);
  const found = new Map<string, Found>();
  for (const path of named) found.set(path, await readPassword(path, directory));
  return (path) => found.get(path) ?? { says: `${path} was not read` };
}

async function readPassword(path: string, directory: string): Promise<Found> {
  try {
    // Editors end the last line.
    const password = (await readFile(resolve(directory, path), 'utf8')).replace(/\r?\n$/, '');
    return password === '' ? { says: `found nothing in ${path}, expected a password` } : { password };
  } catch (error) {
    return { says: `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})` };
  }
}
