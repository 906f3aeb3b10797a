// Whether somebody may pull something, as far as that can be told without asking anybody.
import { RegistryError } from '../oci/errors.ts';
import type { Caller } from './caller.ts';
import { contains, type Network } from './networks.ts';

/** Who may pull at all: everybody, or those whose address lies in one of the networks. */
export type Access = { readonly kind: 'open' } | { readonly kind: 'networks'; readonly networks: readonly Network[] };

/** A repository is public: an anonymous request for an object of it was answered 200. */
export interface Verdict {
  /** When that was; milliseconds since 1970. */
  readonly asOf: number;
}

/** `stale`: good only while the upstream cannot be asked. */
export type VerdictStanding = 'fresh' | 'stale' | 'none';

const freshFor = 15 * 60 * 1000;

export function isAdmitted(access: Access, caller: Caller): boolean {
  return access.kind === 'open' || access.networks.some((network) => contains(network, caller.address));
}

/** Throws DENIED (403). Says what to change, but neither which networks are configured nor how this address looks from here. */
export function admitCaller(access: Access, caller: Caller): void {
  if (isAdmitted(access, caller)) return;
  throw new RegistryError(
    'DENIED',
    "this mirror does not serve your address; whoever runs it can add its network to `access: { networks: [...] }` in sampan's configuration",
  );
}

/** `now` in milliseconds since 1970, `staleFor` in milliseconds. A verdict from the future (a clock was set back) is asked for again. */
export function standingOf(verdict: Verdict | undefined, now: number, staleFor: number): VerdictStanding {
  if (verdict === undefined) return 'none';
  const age = now - verdict.asOf;
  if (age >= 0 && age < freshFor) return 'fresh';
  return age < staleFor ? 'stale' : 'none';
}
