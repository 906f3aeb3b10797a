// `sampan account`: makes an account's secret, which nobody sees again, and writes it down, takes accounts away, and lists them.
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { macOfSecret } from '../../core/access/accounts.ts';
import { toHex } from '../../core/access/mac.ts';
import { createSecret } from '../../core/access/secret.ts';
import { Refusal } from '../../core/clients/plan.ts';
import { accountName, accountNameForm } from '../../config/accounts.ts';
import { ConfigError } from '../../config/problem.ts';
import { valueAt } from '../../config/written.ts';
import { Disk, type Kept } from '../clients/disk.ts';
import { withAccount, withoutAccount } from '../config/account-lines.ts';
import { readConfig } from '../config/config.ts';
import { readConfigFile } from '../config/file.ts';
import { createMac } from '../mac.ts';
import { whyNotPermitted } from './not-permitted.ts';

export interface AccountFlags {
  readonly config?: string;
  readonly print?: true;
}

/** Resolves with the exit code: 0, 1 if it could not be done, 2 if the configuration, or what was asked, is wrong. */
type Verb = (name: string, flags: AccountFlags) => Promise<number>;

export async function manageAccounts(
  verb: 'add' | 'remove' | 'list',
  name: string,
  flags: AccountFlags,
): Promise<number> {
  try {
    return await verbs[verb](name, flags);
  } catch (error) {
    if (error instanceof ConfigError) return complain(error.message, 2);
    if (error instanceof Refusal || error instanceof TypeError) return complain(error.message);
    const closed = whyNotPermitted(error);
    if (closed !== undefined) return complain(closed);
    throw error;
  }
}

const verbs: Readonly<Record<'add' | 'remove' | 'list', Verb>> = {
  async add(name, flags) {
    if (!accountName.safeParse(name).success) return complain(`an account's name has ${accountNameForm}`, 2);
    const { key, accounts } = await readConfig({ flags, environment: process.env, directory: process.cwd() });
    if (accounts.some((account) => account.name === name && account.mac !== undefined)) {
      return complain(`there is an account ${name} already; for a new secret, remove it first`);
    }
    const fresh = key === undefined ? randomBytes(32).toString('base64') : undefined;
    const secret = createSecret(randomBytes(16));
    const mac = `hmac-sha256:${toHex(await macOfSecret(createMac(key ?? fresh ?? ''), secret))}`;
    const path = fileIn(flags);
    const added = { name, mac, key: fresh };
    if (path === undefined || flags.print === true) {
      print(`${shown(name, secret)}\nAdd these lines to the configuration:\n\n${withAccount('', added)}${counts}`);
      return 0;
    }
    const { mode } = rewrite(path, (text) => withAccount(text, added));
    const readable = (mode & 0o004) === 0 ? '' : `Everybody on this machine can read that file: chmod o-r ${path}\n`;
    print(`${shown(name, secret)}\nWritten to ${path}.\n${fresh === undefined ? '' : keyMade + readable}${counts}`);
    return 0;
  },

  async remove(name, flags) {
    const path = fileIn(flags);
    if (path === undefined) return complain('no file was named that has accounts: --config FILE, or SAMPAN_CONFIG');
    const names = Object.keys(valueAt((await readConfigFile(path)).tree, ['accounts']) ?? {});
    if (!names.includes(name)) {
      const there = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`;
      return complain(`${path} has no account ${name}; ${there}`);
    }
    if (flags.print === true) {
      print(`From ${path} would go: accounts.${name}\n`);
      return 0;
    }
    rewrite(path, (text) => withoutAccount(text, name) ?? text);
    print(`The account ${name} is taken from ${path}. A password in an htpasswd file would stay.\n${counts}`);
    return 0;
  },

  async list(_, flags) {
    const config = await readConfig({ flags, environment: process.env, directory: process.cwd() });
    const path = fileIn(flags);
    const tree = path === undefined ? undefined : (await readConfigFile(path)).tree;
    const having = new Set(config.passwords?.map(({ name }) => name));
    const rows = config.accounts.map(({ name, mac, admin }) => {
      const listed = (key: string): string => {
        const found = valueAt(tree, ['accounts', name, key]);
        return Array.isArray(found) ? `${key}: ${found.join(' ')}` : '';
      };
      const ways = [mac === undefined ? '' : 'secret', having.has(name) ? 'password' : ''].filter(Boolean).join('+');
      return [name, ways, admin === true ? 'admin' : '', listed('allow'), listed('networks')]
        .filter(Boolean)
        .join('  ');
    });
    print(rows.length === 0 ? 'There are no accounts.\n' : `${rows.join('\n')}\n`);
    return 0;
  },
};

/** As `serve` looks for it. */
function fileIn({ config }: AccountFlags): string | undefined {
  const named = config ?? (process.env['SAMPAN_CONFIG'] || undefined);
  return named === undefined ? undefined : resolve(named);
}

/** Whole or not at all; whose it is, and who may read it, stays so. Returns that. */
function rewrite(path: string, change: (text: string) => string): Omit<Kept, 'text'> {
  const disk = new Disk('/');
  const before = disk.keep(path);
  if (before === undefined) throw new Refusal(`${path} is not there`);
  const { text, ...as } = before;
  disk.write(path, change(text), as);
  return as;
}

const shown = (name: string, secret: string): string =>
  `The secret of ${name}, for docker login and the like; it is not shown again:\n\n  ${secret}\n`;

const keyMade = `There was no key: one was made, and written there too. Keep it as you keep passwords; where sampan runs with SAMPAN_KEY, that
one counts instead, and this secret is worth nothing: set SAMPAN_KEY here as well, and add it anew.
`;

const counts = `\nIt counts when sampan reads its configuration anew: systemctl reload sampan, or SIGHUP.\n`;

function print(text: string): void {
  process.stdout.write(text);
}

function complain(message: string, exitCode = 1): number {
  process.stderr.write(`sampan: ${message.trimEnd()}\n`);
  return exitCode;
}
