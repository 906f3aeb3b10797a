// Accounts of sampan's own, by name: what is kept of their secrets, what they may have, and from where.
import * as z from 'zod';
import type { AccountEntry } from '../core/access/accounts.ts';
import { fromHex } from '../core/access/mac.ts';
import { parsePatternWithin } from '../core/access/pattern.ts';
import { dictionary, list, section, value } from './fields.ts';
import { someNetworks } from './networks.ts';
import { secret } from './secrets.ts';

const pattern = value('a registry and a repository, such as docker.io/acme/* or ghcr.io/acme/**', (found) =>
  typeof found === 'string' ? parsePatternWithin(found) : undefined,
);

/** What every kind of sampan knows of one. */
export const accountKeys = {
  mac: secret(
    value('what `sampan account add` printed', (found) => {
      const [, hex] = /^hmac-sha256:([0-9a-f]{64})$/.exec(typeof found === 'string' ? found : '') ?? [];
      return hex === undefined ? undefined : fromHex(hex);
    }),
  ),
  allow: list(pattern, 'patterns of repositories').optional(),
  networks: someNetworks.optional(),
};

export const accountNameForm = 'up to 64 lower-case letters, digits, dots, underscores and hyphens';
export const accountName = z.string().regex(/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/, { error: accountNameForm });

/** `account`: the section for one. */
export function accountsOf<Account extends z.ZodType>(account: Account) {
  return dictionary('a map of accounts by name', accountName, account);
}

interface AccountSettings {
  readonly mac?: Uint8Array | undefined;
  readonly allow?: AccountEntry['allow'] | undefined;
  readonly networks?: AccountEntry['networks'];
  readonly admin?: boolean | undefined;
}

export function composeAccounts(settings: Readonly<Record<string, AccountSettings>>): readonly AccountEntry[] {
  return Object.entries(settings).map(([name, { mac, allow, networks, admin }]) => ({
    name,
    mac,
    allow: allow ?? [],
    networks,
    admin: admin === true,
  }));
}

export const accountSection = section(accountKeys);
