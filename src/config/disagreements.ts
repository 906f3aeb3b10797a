// What is wrong between the keys that every kind of sampan has, each of which is right by itself.
import type * as z from 'zod';
import { Registries } from '../core/upstream/registries.ts';
import { suggest } from './keys.ts';
import { type Problem, problemAt } from './problem.ts';
import { composeRegistries, type RegistrySettings, type ServedRegistry } from './registries.ts';
import { ruleDisagreements } from './rules.ts';
import { catalogue, hosts } from './serving.ts';
import { noticeDisagreements } from './tls-notice.ts';
import { valueAt, type Written } from './written.ts';

/** Keys that are wrong by themselves are left to whoever told so. `registry`: the section for one. */
export function servingDisagreements(written: Written, registry: z.ZodType<RegistrySettings>): readonly Problem[] {
  const served = servedIn(written, registry);
  return [
    ...nothingServed(served, written),
    ...clashes(served, written),
    ...unserved(served, written),
    ...keyless(served, written),
    ...ruleDisagreements(served, written),
    ...noticeDisagreements(written),
  ];
}

export function servedIn(written: Written, registry: z.ZodType<RegistrySettings>): readonly ServedRegistry[] {
  return composeRegistries({
    registries: registriesIn(written, registry),
    catalogue: catalogue.safeParse(valueAt(written.tree, ['catalogue'])).data ?? true,
  });
}

/** Those that are wrong count by their names: they are meant to be there. */
function registriesIn(
  { tree }: Written,
  registry: z.ZodType<RegistrySettings>,
): Readonly<Record<string, RegistrySettings>> {
  const entries = Object.entries(valueAt(tree, ['registries']) ?? {});
  return Object.fromEntries(entries.map(([name, entry]) => [name, registry.safeParse(entry).data ?? {}]));
}

function nothingServed(served: readonly ServedRegistry[], { where }: Written): readonly Problem[] {
  return served.length > 0
    ? []
    : [problemAt(['catalogue'], 'found false, expected at least one registry under registries then', where)];
}

/** A name, or another name, that two registries claim. */
function clashes(served: readonly ServedRegistry[], { where }: Written): readonly Problem[] {
  const owners = new Map(served.map(({ name }) => [name, name]));
  return served.flatMap(({ name, aliases }) =>
    aliases.flatMap((alias) => {
      const owner = owners.get(alias);
      owners.set(alias, name);
      if (owner === undefined) return [];
      return [
        problemAt(
          ['registries', owner],
          `found ${alias}, which is another name of ${name} (its aliases); configure ${name}`,
          where,
        ),
      ];
    }),
  );
}

/** Host headers that are mapped to what is not configured. */
function unserved(served: readonly ServedRegistry[], { tree, where }: Written): readonly Problem[] {
  const routing = new Registries(served, {});
  const mapped = hosts.safeParse(valueAt(tree, ['hosts'])).data ?? {};
  return Object.entries(mapped).flatMap(([host, name]) => {
    if (routing.registry(name) !== undefined) return [];
    const says = `found ${name}, which is not configured; ${suggest(name, routing.configured)}`;
    return [problemAt(['hosts', host], says, where)];
  });
}

/** Tokens are sealed, and secrets kept, under a key. */
function keyless(served: readonly ServedRegistry[], { tree, where }: Written): readonly Problem[] {
  if (['key', 'key_file', 'key_env'].some((each) => valueAt(tree, [each]) !== undefined)) return [];
  const registries = served.filter(({ login }) => login !== undefined).map(({ name }) => ['registries', name, 'login']);
  const named = Object.keys(valueAt(tree, ['accounts']) ?? {}).map((name) => ['accounts', name]);
  const files = valueAt(tree, ['htpasswd']) === undefined ? [] : [['htpasswd']];
  const [first] = [...registries, ...named, ...files];
  if (first === undefined) return [];
  const says = 'needs a key: at least 32 characters that nobody can guess, as from `openssl rand -base64 32`';
  return [problemAt(first, `${says}, as key in the file or in SAMPAN_KEY`, where)];
}
