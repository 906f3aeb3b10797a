// What is wrong between keys of which only a process of one's own has one.
import { servedIn, servingDisagreements } from '../../config/disagreements.ts';
import { type Path, type Problem, problemAt } from '../../config/problem.ts';
import { interceptedHosts } from '../../core/upstream/hosts.ts';
import { suggest } from '../../config/keys.ts';
import { valueAt, type Written } from '../../config/written.ts';
import { type Address, formatAddress, isLoopback } from './address.ts';
import { registry, schema } from './schema.ts';
import { tlsDisagreements } from './tls.ts';

/** Keys that are wrong by themselves are left to whoever told so. */
export function disagreements(written: Written): readonly Problem[] {
  return [
    ...exposed(written),
    ...tlsDisagreements(written),
    ...twoAsked(written),
    ...notIntercepted(written),
    ...secretless(written),
    ...servingDisagreements(written, registry),
  ];
}

/** Registries that are to be answered in place of themselves, and cannot be. */
function notIntercepted(written: Written): readonly Problem[] {
  const path = ['proxy', 'intercept'];
  const found = valueAt(written.tree, path);
  if (!Array.isArray(found)) return [];
  const served = servedIn(written, registry);
  const names = served.map(({ name }) => name);
  return found.flatMap((name, at) => {
    if (typeof name !== 'string' || interceptedHosts(served, [name]).length > 0) return [];
    const why = names.includes(name)
      ? 'which has no host that clients reach on port 443'
      : `which is not configured; ${suggest(name, names)}`;
    return [problemAt([...path, at], `found ${name}, ${why}`, written.where)];
  });
}

/** Accounts that nobody can show, where there are no passwords. */
function secretless({ tree, where }: Written): readonly Problem[] {
  if (valueAt(tree, ['htpasswd']) !== undefined) return [];
  return Object.entries(valueAt(tree, ['accounts']) ?? {}).flatMap(([name, entry]) => {
    if (valueAt(entry, ['mac']) !== undefined) return [];
    const says = 'found nothing, expected what `sampan account add` printed, or the key htpasswd and a password there';
    return [problemAt(['accounts', name, 'mac'], says, where)];
  });
}

/** Whoever opens sampan to other machines says to whom. */
function exposed({ tree, where }: Written): readonly Problem[] {
  if (valueAt(tree, ['access']) !== undefined) return [];
  const { shape } = schema.out;
  const [mirror, proxy] = [['listen'], ['proxy', 'listen']];
  return [
    ...openTo(mirror, shape.listen.safeParse(valueAt(tree, mirror)).data, where),
    ...openTo(proxy, shape.proxy.out.shape.listen.safeParse(valueAt(tree, proxy)).data, where),
  ];
}

function openTo(path: Path, listen: Address | undefined, where: Written['where']): readonly Problem[] {
  if (listen === undefined || isLoopback(listen)) return [];
  const says = `found ${formatAddress(listen)}, which other machines can reach, but nothing says who may pull. Add these lines, with your own networks:

access:
  networks: [10.0.0.0/8]

or, if whoever can reach it may pull from it:

access: open

or, if who pulls from it has to log in:

access: login
`;
  return [problemAt(path, says, where)];
}

/** Whoever sets both must know that only one counts. */
function twoAsked({ tree, where }: Written): readonly Problem[] {
  if (valueAt(tree, ['dns']) === undefined || valueAt(tree, ['via']) === undefined) return [];
  return [
    problemAt(['dns'], 'found a resolver beside via, whose proxy looks all names up: leave out one of them', where),
  ];
}
