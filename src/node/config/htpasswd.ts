// Names and passwords in a file as Apache's htpasswd makes it: who has an account, and the bcrypt hash of his password.
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { AccountEntry } from '../../core/access/accounts.ts';
import type { PasswordEntry } from '../../core/access/passwords.ts';
import { accountName, accountNameForm } from '../../config/accounts.ts';
import type { Problem } from '../../config/problem.ts';

interface Read {
  readonly passwords: readonly PasswordEntry[];
  readonly problems: readonly Problem[];
}

const bcrypt = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** Each one more doubles the time, which is seconds here. */
const highestCost = 14;
const lowestCost = 4;
const largest = 2 ** 20;

export async function readHtpasswd(path: string): Promise<Read> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length <= largest) return parseHtpasswd(basename(path), text);
    return { passwords: [], problems: [{ where: path, says: 'is larger than 1 MiB' }] };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return { passwords: [], problems: [{ where: path, says: `cannot be read (${code})` }] };
  }
}

/** Of what is wrong, the line is told, and never what stands there in place of a hash. */
function parseHtpasswd(file: string, text: string): Read {
  const passwords = new Map<string, PasswordEntry>();
  const problems: Problem[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    const [, name = '', hash = ''] = /^([^:]*):?(.*?)\s*$/.exec(line) ?? [];
    if (line.trim() === '' || line.startsWith('#')) continue;
    const says = whyNot(name, hash) ?? (passwords.has(name) ? `${name}: found twice, expected once` : undefined);
    if (says === undefined) passwords.set(name, { name, hash });
    else problems.push({ where: `${file}:${at + 1}`, says });
  }
  return { passwords: [...passwords.values()], problems };
}

function whyNot(name: string, hash: string): string | undefined {
  if (!accountName.safeParse(name).success) return `found another name, expected ${accountNameForm}`;
  const [, cost] = bcrypt.exec(hash) ?? [];
  if (cost === undefined) return `${name}: found a hash of another kind, expected bcrypt, as \`htpasswd -B\` makes it`;
  if (Number(cost) >= lowestCost && Number(cost) <= highestCost) return undefined;
  return `${name}: found the cost ${cost}, expected one from ${lowestCost} to ${highestCost}: more takes each login seconds`;
}

/** Who has a password has an account, whether or not more is said of it; and who has neither that nor a secret has none. */
export function withPasswords(
  accounts: readonly AccountEntry[],
  passwords: readonly PasswordEntry[],
): readonly AccountEntry[] {
  const hashes = new Map(passwords.map(({ name, hash }) => [name, hash]));
  const known = new Set(accounts.map(({ name }) => name));
  return [
    ...accounts
      .map((account) => ({ ...account, hash: hashes.get(account.name) }))
      .filter(({ mac, hash }) => mac !== undefined || hash !== undefined),
    ...passwords.filter(({ name }) => !known.has(name)).map(({ name, hash }) => ({ name, allow: [], hash })),
  ];
}
