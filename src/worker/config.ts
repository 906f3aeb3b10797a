// What the Worker is told: the configuration of sampan, as JSON in the variable SAMPAN_CONFIG.
import type * as z from 'zod';
import { check } from '../config/check.ts';
import { servingDisagreements } from '../config/disagreements.ts';
import { section } from '../config/fields.ts';
import { ConfigError } from '../config/problem.ts';
import { composeRegistries, type ServedRegistry } from '../config/registries.ts';
import { composeAccess, registryKeys, servingKeys } from '../config/serving.ts';
import type { Access } from '../core/access/admit.ts';

export interface WorkerConfig {
  readonly access: Access | undefined;
  readonly registries: readonly ServedRegistry[];
  /** By the Host header, in lower case: a registry's name. */
  readonly hosts: Readonly<Record<string, string>>;
}

const registry = section(registryKeys);
const schema = section(servingKeys(registry));
const elsewhere = {
  keys: new Set<PropertyKey>([
    'listen',
    'data',
    'storage',
    'resolve',
    'pull_ahead',
    'admin',
    'log',
    'stop_within',
    'lanes',
    'stall_after',
  ]),
  says: 'found a key for a sampan on a machine of your own; a Worker has no use for it',
};

/** `found`: the variable, as JSON or already parsed. Throws ConfigError, which tells everything that is wrong. */
export function readConfig(found: unknown): WorkerConfig {
  const tree = typeof found === 'string' ? parseJson(found) : found;
  const { settings, problems } = check({ tree, where: () => 'SAMPAN_CONFIG' }, { schema, disagreements, elsewhere });
  if (settings === undefined || problems.length > 0) throw new ConfigError(problems);
  return compose(settings);
}

function disagreements(written: Parameters<typeof servingDisagreements>[0]) {
  return servingDisagreements(written, registry);
}

function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError([{ where: 'SAMPAN_CONFIG', says: 'found what is no JSON' }]);
  }
}

function compose(settings: z.infer<typeof schema>): WorkerConfig {
  return {
    access: composeAccess(settings.access),
    registries: composeRegistries(settings),
    hosts: settings.hosts,
  };
}
