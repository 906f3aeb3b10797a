// Who may pull what at all: rules, of which the first that speaks of a pull counts.
import * as z from 'zod';
import { parsePattern } from '../core/access/pattern.ts';
import type { Rules } from '../core/access/rules.ts';
import { Registries } from '../core/upstream/registries.ts';
import { list, section, value } from './fields.ts';
import { suggest } from './keys.ts';
import { someNetworks } from './networks.ts';
import { type Problem, problemAt } from './problem.ts';
import type { ServedRegistry } from './registries.ts';
import { valueAt, type Written } from './written.ts';

const pattern = value('a registry and a repository, such as docker.io/acme/* or ghcr.io/**, or ** for all', (found) =>
  typeof found === 'string' ? parsePattern(found) : undefined,
);
const patterns = list(pattern, 'patterns of repositories').min(1, { error: 'at least one pattern' }).optional();
const account = z.string().min(1, { error: 'the name of an account, or "*" for any' });

const rule = section({
  allow: patterns,
  deny: patterns,
  networks: someNetworks.optional(),
  accounts: list(account, 'names of accounts').min(1, { error: 'at least one name' }).optional(),
});

export const rules = list(rule, 'rules').default([]);

export function composeRules(settings: z.infer<typeof rules>): Rules {
  return settings.map(({ allow, deny, networks, accounts }) => ({
    allows: allow !== undefined,
    patterns: allow ?? deny ?? [],
    networks,
    accounts,
  }));
}

/** A rule that is not what it looks like lets in, or keeps out, whom it should not. */
export function ruleDisagreements(served: readonly ServedRegistry[], { tree, where }: Written): readonly Problem[] {
  const written = valueAt(tree, ['rules']);
  const routing = new Registries(served, {});
  return (Array.isArray(written) ? written : []).flatMap((each: unknown, at) => {
    const sides = (['allow', 'deny'] as const).filter((side) => valueAt(each, [side]) !== undefined);
    if (sides.length !== 1) return [problemAt(['rules', at], 'expected one of allow and deny', where)];
    return sides.flatMap((side) => {
      const found = valueAt(each, [side]);
      return (Array.isArray(found) ? found : []).flatMap((text: unknown, index) => {
        const says = typeof text === 'string' ? whyNothingMatches(text, routing) : undefined;
        return says === undefined ? [] : [problemAt(['rules', at, side, index], says, where)];
      });
    });
  });
}

/** Pulls have the name under which a registry is configured. */
function whyNothingMatches(text: string, routing: Registries): string | undefined {
  const [registry = ''] = text.split('/', 1);
  if (registry.includes('*') || parsePattern(text) === undefined) return undefined;
  const name = routing.registry(registry);
  if (name === registry) return undefined;
  if (name !== undefined) return `found ${registry}, which is another name of ${name}; write ${name}`;
  return `found ${registry}, which is not configured; ${suggest(registry, routing.configured)}`;
}
