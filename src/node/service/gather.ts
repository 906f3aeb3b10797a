// What the service would be: told by flags and configuration, and looked up where those say nothing; and why it could not run.
import { readFile, realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { valueAt } from '../../config/written.ts';
import { type Config, readConfig } from '../config/config.ts';
import { readConfigFile } from '../config/file.ts';
import type { Places, ServiceFacts } from './facts.ts';
import { closedTo, findUser, type Kind } from './machine.ts';

export interface Wishes {
  readonly config?: string | undefined;
  readonly data?: string | undefined;
  readonly user?: string | undefined;
}

/** Why it cannot be installed, in a sentence or two. */
export class Unfit extends Error {}

const usualData = '/var/lib/sampan';
const usualUser = 'sampan';
/** What ProtectHome= hides (systemd.exec(5)): folders of any machine. */
const usualHomes: readonly string[] = ['home', 'root', 'run/user'].map((folder) => `/${folder}/`);

/** `program`: `bin/sampan`. Throws ConfigError, and Unfit. */
export async function gather(
  program: string,
  wishes: Wishes,
  kind: Kind,
  places: Places,
  homes = usualHomes,
): Promise<ServiceFacts> {
  const { user = usualUser } = wishes;
  const config = wishes.config === undefined ? undefined : resolve(wishes.config);
  const data = await dataOf(config, wishes.data);
  const { listen, stopWithin } = await configOf({ config, data }, places);
  const needed = [program, ...(config === undefined ? [] : [config]), data];
  const reached = [...needed, ...(await Promise.all(needed.map(throughLinks)))];
  const facts = {
    program,
    config,
    data,
    user,
    privileged: listen.port > 0 && listen.port < 1024,
    atHome: reached.some((path) => homes.some((home) => path.startsWith(home))),
    stopWithin,
  };
  await check(facts, kind);
  return facts;
}

/** What the service will read, which is not what this shell would. */
async function configOf(flags: { config?: string | undefined; data: string }, places: Places): Promise<Config> {
  const environment = parseEnv(await readFile(places.environment, 'utf8').catch(() => ''));
  return readConfig({ flags, environment, directory: '/' });
}

/** The data need not be there yet. */
function throughLinks(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/** A flag, or the file's own word; where neither says anything, not beside the file but where services keep theirs. */
async function dataOf(config: string | undefined, wished: string | undefined): Promise<string> {
  if (wished !== undefined) return resolve(wished);
  if (config === undefined) return usualData;
  const written = valueAt((await readConfigFile(config)).tree, ['data']);
  return typeof written === 'string' ? resolve(config, '..', written) : usualData;
}

async function check({ program, config, data, user, privileged }: ServiceFacts, kind: Kind): Promise<void> {
  for (const text of [program, config ?? '', data]) {
    // oxlint-disable-next-line no-control-regex
    if (/[\u0000-\u001f\u007f]/.test(text)) throw new Unfit('a path with control characters is none for a service');
  }
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) throw new Unfit(`${JSON.stringify(user)} is no name for a user`);
  if (privileged && kind === 'init') {
    throw new Unfit('only systemd gives the right to a port below 1024; listen on another, or behind who ends TLS');
  }
  const person = await findUser(user);
  const there = await stat(data).catch(() => undefined);
  if (there !== undefined && there.uid !== person?.uid) {
    const first = person === undefined ? `useradd --system --user-group ${user} && ` : '';
    throw new Unfit(`${data} is there, and belongs to somebody else; first: ${first}chown -R ${user}: ${data}`);
  }
  for (const path of [program, config ?? '/']) {
    const real = await realpath(path);
    const closed = await closedTo(person, real);
    // The configuration itself is opened to the user when the service is installed.
    if (closed === undefined || (path === config && closed === real)) continue;
    const remedy = 'put it elsewhere, such as below /opt or /etc';
    throw new Unfit(
      `the user ${user}, as whom it would run, does not get to ${path}: ${closed} is closed to others; ${remedy}`,
    );
  }
}
