// How often one client may ask this mirror: a limit of its own, which is not taken for an upstream's.
import { clientOf } from '../access/address.ts';
import type { Caller } from '../access/caller.ts';
import { RegistryError } from '../oci/errors.ts';

/** Counts what a caller asks. Throws TOOMANYREQUESTS for who has asked too often. */
export type Limit = (caller: Caller) => Promise<void>;

/** `takes`: counts one more for who goes by that name, and says whether that is not too many. `period`: seconds that it counts over. */
export function createLimit(takes: (name: string) => Promise<boolean>, period: number): Limit {
  return async (caller) => {
    if (await takes(nameOf(caller))) return;
    throw new RegistryError(
      'TOOMANYREQUESTS',
      'this mirror has a limit of its own for each client, and you have reached it',
      {
        headers: { 'retry-after': String(period) },
        detail: { limitedBy: 'this mirror' },
      },
    );
  };
}

/** By nothing that a client can choose: neither a login that nobody here has checked, nor one of the addresses of its network. */
function nameOf({ account, address }: Caller): string {
  return account === undefined ? `address ${clientOf(address)}` : `account ${account.name}`;
}
