// Rules: who may pull what at all. Of a list of them the first that speaks of a pull counts.
import { RegistryError } from '../oci/errors.ts';
import { repositoryKey, type Repository } from '../oci/reference.ts';
import type { Caller } from './caller.ts';
import { contains, type Network } from './networks.ts';
import { matches, type Pattern } from './pattern.ts';

/** Speaks of a pull if all that it names fits: the repository, where the client is, and whose login he has shown. */
export interface Rule {
  readonly allows: boolean;
  readonly patterns: readonly Pattern[];
  readonly networks?: readonly Network[] | undefined;
  /** By name; `*` is any of them. */
  readonly accounts?: readonly string[] | undefined;
}

export type Rules = readonly Rule[];

/** Throws DENIED (403), by the caller and the name of the repository alone: the same whether there is such a one, and whether it is here. */
export function admitPull(rules: Rules, caller: Caller, repository: Repository): void {
  if (isAllowed(rules, caller, repository)) return;
  throw new RegistryError('DENIED', `the rules of this mirror do not let you pull ${repositoryKey(repository)}`);
}

/** What no rule speaks of is allowed. */
export function isAllowed(rules: Rules, caller: Caller, repository: Repository): boolean {
  return rules.find((rule) => speaks(rule, caller, repository))?.allows ?? true;
}

/** Denied to him as he comes, and not if he logged in with some account. */
export function wantsAccount(rules: Rules, caller: Caller, repository: Repository): boolean {
  if (caller.account !== undefined || isAllowed(rules, caller, repository)) return false;
  const names = ['', ...rules.flatMap(({ accounts }) => accounts ?? [])];
  return names.some((name) => isAllowed(rules, { ...caller, account: { name, allow: [] } }, repository));
}

function speaks({ patterns, networks, accounts }: Rule, { address, account }: Caller, repository: Repository): boolean {
  if (
    accounts !== undefined &&
    !(account !== undefined && (accounts.includes('*') || accounts.includes(account.name)))
  ) {
    return false;
  }
  if (!patterns.some((pattern) => matches(pattern, repository))) return false;
  return networks === undefined || networks.some((network) => contains(network, address));
}
