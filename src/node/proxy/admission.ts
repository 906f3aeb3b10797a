// Who is let in at the proxy: whoever comes from where the configuration says, or shows an account's login unasked.
import { type Access, isAdmitted, takesLogins } from '../../core/access/admit.ts';
import type { Account } from '../../core/access/accounts.ts';
import type { Caller } from '../../core/access/caller.ts';
import { RegistryError } from '../../core/oci/errors.ts';
import { type Login, parseLogin } from '../../core/oci/login.ts';
import { reject, type Rejection } from './target.ts';

export interface Admission {
  readonly access: Access;
  /** Undefined for who shows no login of ours. Throws RegistryError: 401 for one that is nobody's, 429 for who guesses. */
  readonly identify: (login: Login | undefined, address: string) => Promise<Account | undefined>;
  /** Rules make a difference between accounts, also for whoever is let in by his address. */
  readonly ruled?: boolean;
}

const challenge = { 'proxy-authenticate': 'Basic realm="sampan"' };

/** `login`: the Proxy-Authorization. Who is let in by his address is asked for none; he may show one for the sake of rules. */
export function admit(
  { access, identify, ruled = false }: Admission,
  address: string,
  login: string | undefined,
): Caller | Rejection | Promise<Caller | Rejection> {
  if (isAdmitted(access, { address })) {
    return ruled && login !== undefined ? known(identify, address, login) : { address };
  }
  if (takesLogins(access)) return callerOf(identify, address, login);
  return reject(403, 'this proxy does not serve your address', `access: { networks: ["${address}"] }`);
}

async function callerOf(
  identify: Admission['identify'],
  address: string,
  login: string | undefined,
): Promise<Caller | Rejection> {
  try {
    const account = await identify(parseLogin(login), address);
    if (account !== undefined) return memberAt(address, account);
    return wantsLogin("this proxy wants an account's login: point clients at http://name:secret@ and its address");
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    if (error.status !== 401) return { ...reject(error.status, error.message), headers: error.headers };
    return wantsLogin(error.message);
  }
}

/** With a login that is wrong he is who he is without one. */
async function known(identify: Admission['identify'], address: string, login: string): Promise<Caller> {
  try {
    const account = await identify(parseLogin(login), address);
    return account === undefined ? { address } : memberAt(address, account);
  } catch (error) {
    if (error instanceof RegistryError) return { address };
    throw error;
  }
}

/** What goes through the proxy goes in nobody's name: an account opens the way, and no repository. */
function memberAt(address: string, account: Account): Caller {
  return { address, account: { ...account, allow: [] } };
}

function wantsLogin(why: string): Rejection {
  return { ...reject(407, why), headers: challenge };
}
