// The passwords of registries, from where the configuration says that they are.
import type { Credentials } from '../core/upstream/registries.ts';
import { type Problem, problemAt } from './problem.ts';
import type { RegistrySettings } from './registries.ts';
import type { Written } from './written.ts';

type Found = { readonly secret: string } | { readonly says: string };

/** Where a secret may be, if it is not written with the other settings. */
export interface SecretPlaces {
  readonly variable: (name: string) => string | undefined;
  readonly file: (path: string) => Found;
}

/** By registry. What is wrong is told as problems, never with a password in them. */
export function composeCredentials(
  registries: Readonly<Record<string, RegistrySettings>>,
  places: SecretPlaces,
  where: Written['where'],
): { readonly credentials: ReadonlyMap<string, Credentials>; readonly problems: readonly Problem[] } {
  const credentials = new Map<string, Credentials>();
  const problems: Problem[] = [];
  for (const [name, { credentials: written }] of Object.entries(registries)) {
    if (written === undefined) continue;
    const { username, password, password_file, password_env } = written;
    const found = findSecret('password', password, password_file, password_env, places);
    if ('says' in found) problems.push(problemAt(['registries', name, 'credentials'], found.says, where));
    else credentials.set(name, { username, password: found.secret });
  }
  return { credentials, problems };
}

/** `key`: how the first of its three keys is called, of which one is there. */
export function findSecret(
  key: string,
  written: string | undefined,
  path: string | undefined,
  name: string | undefined,
  { variable, file }: SecretPlaces,
): Found {
  if ([written, path, name].filter((each) => each !== undefined).length !== 1) {
    return { says: `expected one of ${key}, ${key}_file and ${key}_env` };
  }
  if (path !== undefined) return file(path);
  const held = name === undefined ? written : variable(name);
  return held ? { secret: held } : { says: `found the variable ${name} without a value, expected a ${key} in it` };
}
