// Whose login it is that somebody shows, as an account of this mirror's.
import type { Account, Accounts } from '../access/accounts.ts';
import { clientOf } from '../access/address.ts';
import type { Guesses } from '../access/guesses.ts';
import type { Passwords } from '../access/passwords.ts';
import { looksSecret, parseSecret } from '../access/secret.ts';
import { RegistryError } from '../oci/errors.ts';
import type { Login } from '../oci/login.ts';
import type { LoginMode } from '../upstream/registries.ts';

export interface IdentityParts {
  readonly accounts: Accounts | undefined;
  /** Undefined: accounts have made secrets and nothing else. */
  readonly passwords?: Passwords | undefined;
  readonly guesses: Guesses;
}

type Basic = Extract<Login, { readonly kind: 'basic' }>;

/**
 * Undefined for who shows no Basic login, or one that has none of our secrets where accounts have nothing else.
 * Throws UNAUTHORIZED for one that is nobody's, TOOMANYREQUESTS for who guesses, UNAVAILABLE if too many passwords are being checked.
 */
export async function identify(
  parts: IdentityParts,
  login: Login | undefined,
  address: string,
): Promise<Account | undefined> {
  if (login?.kind !== 'basic') return undefined;
  const isSecret = looksSecret(login.password);
  if (!isSecret && parts.passwords === undefined) return undefined;
  const account = isSecret
    ? await bySecret(parts, login.password, address, login.user)
    : await byPassword(parts, login, address);
  if (account !== undefined) return account;
  const headers = { 'www-authenticate': basicChallenge };
  throw new RegistryError('UNAUTHORIZED', 'no account of this mirror has this name and this secret', { headers });
}

export const basicChallenge = 'Basic realm="sampan"';

/**
 * Whether it is this mirror that a login is for. Where logins of others come too, a made secret is, and so is a name that has
 * a password here: none of these is passed on, right or wrong.
 */
export function isOurs(
  { passwords }: IdentityParts,
  login: Login | undefined,
  mode: LoginMode | undefined,
): login is Basic {
  if (login?.kind !== 'basic') return false;
  return looksSecret(login.password) || (passwords !== undefined && (mode === 'account' || passwords.has(login.user)));
}

/** Of a secret in the address. Throws DENIED for one that is nobody's, TOOMANYREQUESTS for who guesses. */
export async function ownerOf(parts: IdentityParts, secret: string, address: string): Promise<Account> {
  const account = await bySecret(parts, secret, address);
  if (account !== undefined) return account;
  // Nothing to log in with: what is wrong stands in the address.
  throw new RegistryError('DENIED', 'the address has a secret in it that is no account’s');
}

/** Wherever else one stands: it would leave this mirror with what it stands in. */
export function misplacedSecret(): RegistryError {
  return new RegistryError('UNAUTHORIZED', 'the secret of an account is its password, or stands in the address');
}

/** `name`: where one is given, it must be right too. */
async function bySecret(
  { accounts, guesses }: IdentityParts,
  shown: string,
  address: string,
  name?: string,
): Promise<Account | undefined> {
  const secret = parseSecret(shown);
  const account = secret && (await accounts?.bySecret(secret, address));
  if (account !== undefined && (name === undefined || name === account.name)) return account;
  // Only now: somebody else at the same address may have a right one, and nobody guesses 128 bits.
  guesses.check('account', address);
  guesses.failed('account', address);
  return undefined;
}

/** What somebody has chosen, others can guess: who has guessed too often is not listened to, before any work is done for him. */
async function byPassword(
  { accounts, passwords, guesses }: IdentityParts,
  { user, password }: Basic,
  address: string,
): Promise<Account | undefined> {
  guesses.check('password', address);
  const account = accounts?.byName(user, address);
  const right = await passwords?.isRight(user, password, {
    client: clientOf(address),
    counts: account !== undefined,
    begin: () => guesses.begin('password', address),
  });
  return right === true ? account : undefined;
}
