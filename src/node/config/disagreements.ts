// What is wrong between keys, each of which is right by itself.
import { Registries } from '../../core/upstream/registries.ts';
import { formatAddress, isLoopback } from './address.ts';
import { suggest } from './keys.ts';
import { type Problem, problemAt } from './problem.ts';
import { composeRegistries, type ServedRegistry } from './registries.ts';
import { registry, schema, type Settings } from './schema.ts';
import { valueAt, type Written } from './settings.ts';

/** Keys that are wrong by themselves are left to whoever told so. */
export function disagreements(written: Written): readonly Problem[] {
  const served = composeRegistries({
    registries: registriesOf(written),
    catalogue: keyOf('catalogue', written) ?? true,
  });
  return [
    ...exposed(written),
    ...nothingServed(served, written),
    ...clashes(served, written),
    ...unserved(served, written),
  ];
}

function keyOf<Key extends keyof Settings>(key: Key, { tree }: Written): Settings[Key] | undefined {
  return schema.out.shape[key].safeParse(valueAt(tree, [key])).data as Settings[Key] | undefined;
}

/** Those that are wrong count by their names: they are meant to be there. */
function registriesOf({ tree }: Written): Settings['registries'] {
  const entries = Object.entries(valueAt(tree, ['registries']) ?? {});
  return Object.fromEntries(entries.map(([name, entry]) => [name, registry.safeParse(entry).data ?? {}]));
}

/** Whoever opens sampan to other machines says to whom. */
function exposed(written: Written): readonly Problem[] {
  const listen = keyOf('listen', written);
  if (listen === undefined || isLoopback(listen) || valueAt(written.tree, ['access']) !== undefined) return [];
  const says = `found ${formatAddress(listen)}, which other machines can reach, but nothing says who may pull. Add these lines, with your own networks:

access:
  networks: [10.0.0.0/8]

or, if whoever can reach it may pull from it:

access: open
`;
  return [problemAt(['listen'], says, written.where)];
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
function unserved(served: readonly ServedRegistry[], written: Written): readonly Problem[] {
  const routing = new Registries(served, {});
  return Object.entries(keyOf('hosts', written) ?? {}).flatMap(([host, name]) => {
    if (routing.registry(name) !== undefined) return [];
    const says = `found ${name}, which is not configured; ${suggest(name, routing.configured)}`;
    return [problemAt(['hosts', host], says, written.where)];
  });
}
