// Whether somebody may pull something, as far as that can be told without asking anybody.
import { RegistryError } from '../oci/errors.ts';
import type { Caller } from './caller.ts';
import { contains, type Network } from './networks.ts';

/** Who may pull at all: everybody, or those whose address lies in one of the networks; `login`: and from elsewhere who has a login. */
export type Access =
  | { readonly kind: 'open' }
  | { readonly kind: 'networks'; readonly networks: readonly Network[]; readonly login?: boolean };

/** A repository is public: an anonymous request for an object of it was answered 200. */
export interface Verdict {
  /** When that was; milliseconds since 1970. */
  readonly asOf: number;
}

/** `stale`: good only while the upstream cannot be asked. */
export type VerdictStanding = 'fresh' | 'stale' | 'none';

const freshFor = 15 * 60 * 1000;

/** Throws DENIED (403). Says what to change, but neither which networks are configured nor how this address looks from here. */
export function admitCaller(access: Access, caller: Caller): void {
  if (isAdmitted(access, caller)) return;
  throw new RegistryError(
    'DENIED',
    "this mirror does not serve your address; whoever runs it can add its network to `access: { networks: [...] }` in sampan's configuration",
  );
}

/** Who is not let in as he comes may be let in with a login. */
export function takesLogins(access: Access): boolean {
  return access.kind === 'networks' && access.login === true;
}

export function isAdmitted(access: Access, caller: Caller): boolean {
  if (access.kind === 'open' || access.networks.some((network) => contains(network, caller.address))) return true;
  return access.login === true && (caller.account !== undefined || caller.grantor !== undefined);
}

/** `now` in milliseconds since 1970, `staleFor` in milliseconds. A verdict from the future (a clock was set back) is asked for again. */
export function standingOf(verdict: Verdict | undefined, now: number, staleFor: number): VerdictStanding {
  if (verdict === undefined) return 'none';
  const age = now - verdict.asOf;
  if (age >= 0 && age < freshFor) return 'fresh';
  return age < staleFor ? 'stale' : 'none';
}
