// The passwords of registries, from where the configuration says that they are.
import type { Credentials } from '../core/upstream/registries.ts';
import { describe, type Problem, problemAt } from './problem.ts';
import type { RegistrySettings, WrittenCredentials } from './registries.ts';
import type { Written } from './written.ts';

type Found = { readonly secret: string } | { readonly says: string };

/** Where a secret may be, if it is not written with the other settings. */
export interface SecretPlaces {
  readonly variable: (name: string) => string | undefined;
  readonly file: (path: string) => Found;
}

/** By registry, of those that have any. What is wrong is told as problems, never with a password in them. */
export function composeCredentials(
  registries: Readonly<Record<string, RegistrySettings>>,
  places: SecretPlaces,
  where: Written['where'],
): { readonly credentials: ReadonlyMap<string, readonly Credentials[]>; readonly problems: readonly Problem[] } {
  const credentials = new Map<string, readonly Credentials[]>();
  const problems: Problem[] = [];
  for (const [name, { credentials: written }] of Object.entries(registries)) {
    const path = ['registries', name, 'credentials'];
    const all: Credentials[] = [];
    for (const [at, { username, ...secret }] of accountsIn(written).entries()) {
      const place = Array.isArray(written) ? [...path, at] : path;
      const { password, password_file, password_env } = secret;
      const found = findSecret('password', password, password_file, password_env, places);
      const isThere = all.some((other) => other.username === username);
      if (isThere) problems.push(problemAt(place, `found the user name ${describe(username)} twice`, where));
      else if ('says' in found) problems.push(problemAt(place, found.says, where));
      else all.push({ username, password: found.secret });
    }
    if (all.length > 0) credentials.set(name, all);
  }
  return { credentials, problems };
}

/** One account, or several. */
export function accountsIn(written: RegistrySettings['credentials']): readonly WrittenCredentials[] {
  if (written === undefined) return [];
  return 'username' in written ? [written] : written;
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
