// What is wrong between keys of which only a process of one's own has one.
import { servingDisagreements } from '../../config/disagreements.ts';
import { type Path, type Problem, problemAt } from '../../config/problem.ts';
import { valueAt, type Written } from '../../config/written.ts';
import { type Address, formatAddress, isLoopback } from './address.ts';
import { registry, schema } from './schema.ts';

/** Keys that are wrong by themselves are left to whoever told so. */
export function disagreements(written: Written): readonly Problem[] {
  return [...exposed(written), ...twoAsked(written), ...servingDisagreements(written, registry)];
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
