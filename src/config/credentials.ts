// The passwords of registries, from where the configuration says that they are.
import type { Credentials } from '../core/upstream/registries.ts';
import { type Problem, problemAt } from './problem.ts';
import type { RegistrySettings, WrittenCredentials } from './registries.ts';
import type { Written } from './written.ts';

type Found = { readonly password: string } | { readonly says: string };

export interface PasswordPlaces {
  readonly variable: (name: string) => string | undefined;
  readonly file: (path: string) => Found;
}

/** By registry. What is wrong is told as problems, never with a password in them. */
export function composeCredentials(
  registries: Readonly<Record<string, RegistrySettings>>,
  places: PasswordPlaces,
  where: Written['where'],
): { readonly credentials: ReadonlyMap<string, Credentials>; readonly problems: readonly Problem[] } {
  const credentials = new Map<string, Credentials>();
  const problems: Problem[] = [];
  for (const [name, { credentials: written }] of Object.entries(registries)) {
    if (written === undefined) continue;
    const found = passwordOf(written, places);
    if ('says' in found) problems.push(problemAt(['registries', name, 'credentials'], found.says, where));
    else credentials.set(name, { username: written.username, password: found.password });
  }
  return { credentials, problems };
}

function passwordOf(
  { password, password_file: path, password_env: name }: WrittenCredentials,
  { variable, file }: PasswordPlaces,
): Found {
  if ([password, path, name].filter((each) => each !== undefined).length !== 1) {
    return { says: 'expected one of password, password_file and password_env' };
  }
  if (path !== undefined) return file(path);
  const held = name === undefined ? password : variable(name);
  return held ? { password: held } : { says: `found the variable ${name} without a value, expected a password in it` };
}
