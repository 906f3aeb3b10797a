// Whose secret it is that somebody shows, as an account of this mirror's.
import type { Account, Accounts } from '../access/accounts.ts';
import type { Guesses } from '../access/guesses.ts';
import { looksSecret, parseSecret } from '../access/secret.ts';
import { RegistryError } from '../oci/errors.ts';
import type { Login } from '../oci/login.ts';
import type { Arrival } from './arrival.ts';

export interface IdentityParts {
  readonly accounts: Accounts | undefined;
  readonly guesses: Guesses;
}

/** Undefined for who shows no such secret. Throws UNAUTHORIZED, DENIED for one that is nobody's, TOOMANYREQUESTS for who guesses. */
export async function identify(
  parts: IdentityParts,
  { secret }: Pick<Arrival, 'secret'>,
  login: Login | undefined,
  address: string,
): Promise<Account | undefined> {
  if (secret !== undefined) {
    const account = await owner(parts, secret, address);
    if (account !== undefined) return account;
    // Nothing to log in with: what is wrong stands in the address.
    throw new RegistryError('DENIED', 'the address has a secret in it that is no account’s');
  }
  if (login?.kind !== 'basic' || !looksSecret(login.password)) return undefined;
  const account = await owner(parts, login.password, address, login.user);
  if (account !== undefined) return account;
  const headers = { 'www-authenticate': 'Basic realm="sampan"' };
  throw new RegistryError('UNAUTHORIZED', 'no account of this mirror has this name and this secret', { headers });
}

/** Wherever else one stands: it would leave this mirror with what it stands in. */
export function misplacedSecret(): RegistryError {
  return new RegistryError('UNAUTHORIZED', 'the secret of an account is its password, or stands in the address');
}

/** `name`: where one is given, it must be right too. */
async function owner(
  { accounts, guesses }: IdentityParts,
  shown: string,
  address: string,
  name?: string,
): Promise<Account | undefined> {
  const secret = parseSecret(shown);
  const account = secret && (await accounts?.bySecret(secret));
  if (account !== undefined && (name === undefined || name === account.name)) return account;
  // Only now: somebody else at the same address may have a right one, and nobody guesses 128 bits.
  guesses.check('account', address);
  guesses.failed('account', address);
  return undefined;
}
