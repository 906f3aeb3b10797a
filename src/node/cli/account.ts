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
import { withAccount, withoutAccount } from '../config/account-lines.ts';
import { type Config, readConfig } from '../config/config.ts';
import { readConfigFile } from '../config/file.ts';
import { createMac } from '../mac.ts';
import { alone, rewrite } from './changed-file.ts';
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
    const path = fileIn(flags);
    const isWritten = path !== undefined && flags.print !== true;
    const act = (): Promise<number> => add(name, isWritten ? path : undefined, flags);
    return isWritten ? alone(path, act) : act();
  },

  async remove(name, flags) {
    const path = fileIn(flags);
    if (path === undefined) return complain('no file was named that has accounts: --config FILE, or SAMPAN_CONFIG');
    const act = (): Promise<number> => remove(name, path, flags);
    return flags.print === true ? act() : alone(path, act);
  },

  async list(_, flags) {
    const config = await configOf(flags);
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

/** `path`: of the file that is changed; undefined: the lines are shown alone. */
async function add(name: string, path: string | undefined, flags: AccountFlags): Promise<number> {
  const fresh = (await isKeyless(flags)) ? randomBytes(32).toString('base64') : undefined;
  // As it will be: what needs a key is not wrong for want of the one that is made here.
  const { key = fresh, accounts } = await configOf(flags, fresh === undefined ? {} : { SAMPAN_KEY: fresh });
  if (accounts.some((account) => account.name === name && account.mac !== undefined)) {
    return complain(`there is an account ${name} already; for a new secret, remove it first`);
  }
  const secret = createSecret(randomBytes(16));
  const mac = `hmac-sha256:${toHex(await macOfSecret(createMac(key ?? ''), secret))}`;
  const added = { name, mac, key: fresh };
  if (path === undefined) {
    print(`${shown(name, secret)}\nAdd these lines to the configuration:\n\n${withAccount('', added)}${counts}`);
    return 0;
  }
  const { mode, isAnew } = rewrite(path, (text) => withAccount(text, added));
  const readable = (mode & 0o004) === 0 ? '' : `Everybody on this machine can read that file: chmod o-r ${path}\n`;
  const made = fresh === undefined ? '' : keyMade + readable;
  print(`${shown(name, secret)}\nWritten to ${path}.\n${isAnew ? anew : ''}${made}${counts}`);
  const written = await configOf(flags);
  const isThere = written.accounts.some((each) => each.name === name && toHex(each.mac ?? noBytes) === mac.slice(-64));
  return isThere
    ? 0
    : complain(`it does not count where SAMPAN_ACCOUNTS says which accounts there are, as it does here`);
}

async function remove(name: string, path: string, flags: AccountFlags): Promise<number> {
  const names = Object.keys(valueAt((await readConfigFile(path)).tree, ['accounts']) ?? {});
  if (!names.includes(name)) {
    const there = names.length === 0 ? 'there are none' : `there are ${names.join(', ')}`;
    return complain(`${path} has no account ${name}; ${there}`);
  }
  if (flags.print === true) {
    print(`From ${path} would go: accounts.${name}\n`);
    return 0;
  }
  const { isAnew } = rewrite(path, (text) => withoutAccount(text, name) ?? text);
  print(`The account ${name} is taken from ${path}.\n${isAnew ? anew : ''}`);
  const left = (await configOf(flags)).accounts.find((account) => account.name === name);
  if (left?.mac !== undefined) return complain('it still counts where SAMPAN_ACCOUNTS says so, as it does here');
  print(left === undefined ? counts : `It still has a password, in the htpasswd file.\n${counts}`);
  return 0;
}

const noBytes = new Uint8Array();

function configOf(flags: AccountFlags, more: Readonly<Record<string, string>> = {}): Promise<Config> {
  return readConfig({ flags, environment: { ...process.env, ...more }, directory: process.cwd() });
}

/** Neither the file nor the environment tells one, or where one stands. */
async function isKeyless(flags: AccountFlags): Promise<boolean> {
  const path = fileIn(flags);
  const tree = path === undefined ? undefined : (await readConfigFile(path)).tree;
  const names = ['key', 'key_file', 'key_env'];
  return names.every((name) => !valueAt(tree, [name]) && !process.env[`SAMPAN_${name.toUpperCase()}`]);
}

/** As `serve` looks for it. */
function fileIn({ config }: AccountFlags): string | undefined {
  const named = config ?? (process.env['SAMPAN_CONFIG'] || undefined);
  return named === undefined ? undefined : resolve(named);
}

const shown = (name: string, secret: string): string =>
  `The secret of ${name}, for docker login and the like; it is not shown again:\n\n  ${secret}\n`;

const keyMade = `There was no key: one was made, and written there too. Keep it as you keep passwords; where sampan runs with SAMPAN_KEY, that
one counts instead, and this secret is worth nothing: set SAMPAN_KEY here as well, and add it anew.
`;

const anew = `It had to be written anew as a whole, because of how its accounts stood there: look whether it is still as you like it.\n`;

const counts = `\nIt counts when sampan reads its configuration anew: systemctl reload sampan, or SIGHUP.\n`;

function print(text: string): void {
  process.stdout.write(text);
}

function complain(message: string, exitCode = 1): number {
  process.stderr.write(`sampan: ${message.trimEnd()}\n`);
  return exitCode;
}
