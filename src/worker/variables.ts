// What a Worker is told: SAMPAN_CONFIG, and secrets in variables of their own.
import { layer } from '../config/layer.ts';
import { ConfigError } from '../config/problem.ts';
import type { Written } from '../config/written.ts';

/** What is bound under a name. */
export type Variable = (name: string) => unknown;

/** `secrets`: the key that each of these variables stands for. Throws ConfigError if SAMPAN_CONFIG is no JSON. */
export function readVariables(variable: Variable, secrets: Readonly<Record<string, readonly string[]>>): Written {
  const found = variable('SAMPAN_CONFIG');
  const tree = typeof found === 'string' ? parseJson(found) : found;
  const settings = Object.entries(secrets).map(([name, path]) => ({ path, value: variable(name), where: name }));
  const given = settings.filter(({ value }) => value !== undefined && value !== '');
  return layer({ tree, where: () => 'SAMPAN_CONFIG' }, given);
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError([{ where: 'SAMPAN_CONFIG', says: 'found what is no JSON' }]);
  }
}
