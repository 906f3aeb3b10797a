// `sampan service`: installs sampan as a service of this machine, takes it away, and tells how it is.
import { join } from 'node:path';
import { ConfigError } from '../../config/problem.ts';
import { usualPlaces } from '../service/facts.ts';
import { gather, Unfit, type Wishes } from '../service/gather.ts';
import { type Step, stepsToInstall, stepsToUninstall, textFor, wordsToForget } from '../service/install.ts';
import { CommandFailed, type Kind, kindHere } from '../service/machine.ts';
import { findInstalled, placeOf } from '../service/installed.ts';
import { findAilment, findRunning } from '../service/status.ts';
import { agreed } from './agreed.ts';

export interface InstallFlags extends Wishes {
  readonly print?: boolean;
  readonly yes?: boolean;
  readonly systemd?: boolean;
  readonly init?: boolean;
}

const program = join(import.meta.dirname, '../../../bin/sampan');
const places = usualPlaces;

/** Exit codes of a service's status (LSB, "Init Script Actions"). */
const codes = { runs: 0, ill: 1, stopped: 3, absent: 4 } as const;

/** Resolves with the exit code: 0 if it is done, 1 if it is not, 2 if it cannot be. */
export async function install(flags: InstallFlags): Promise<number> {
  return telling(async () => {
    const kind = await kindOf(flags);
    const facts = await gather(program, flags, kind, places);
    const text = textFor(kind, facts, places);
    if (flags.print === true) {
      say(text.trimEnd());
      return 0;
    }
    const steps = await stepsToInstall(kind, facts, places);
    say(`${placeOf(kind, places)}:\n\n${text}`);
    if (facts.atHome) {
      say('Something of it lies where people have their homes, so the service may read there. Better: /opt/sampan.\n');
    }
    if (!(await goThrough(steps, flags.yes))) return 1;
    // systemd does not wait until it serves, and may not run here at all.
    say(
      `\nIts user is ${facts.user}, and what it holds is kept in ${facts.data}. Whether it runs: sampan service status`,
    );
    return 0;
  });
}

export async function uninstall(flags: { readonly yes?: boolean }): Promise<number> {
  return telling(async () => {
    const installed = await findInstalled(places);
    if (installed === undefined) throw new Unfit('it is not installed as a service');
    const { kind, data, user } = installed;
    const forgetting = await wordsToForget(installed);
    if (!(await goThrough(await stepsToUninstall(kind, places), flags.yes))) return 1;
    // An id that is free again would be the next user's, and with it the files.
    say(`\nWhat it held is still in ${data}, and belongs to the user ${user}. To take that away too:`);
    say(`  ${forgetting}`);
    return 0;
  });
}

export async function status(): Promise<number> {
  return telling(async () => {
    const installed = await findInstalled(places);
    if (installed === undefined) {
      say('not installed as a service: sampan service install');
      return codes.absent;
    }
    say(`installed: ${installed.path}, as ${installed.user}, data in ${installed.data}`);
    const running = await findRunning(installed, places);
    if (running === undefined) {
      say('running: no');
      return codes.stopped;
    }
    say(`running: process ${running.pid}, since ${running.since.toISOString().replace('.000', '')}`);
    const why = await findAilment(running.pid);
    say(`healthy: ${why === undefined ? 'yes' : `no, ${why}`}`);
    return why === undefined ? codes.runs : codes.ill;
  });
}

async function kindOf({ systemd, init }: InstallFlags): Promise<Kind> {
  if (systemd === true && init === true) throw new Unfit('one of --systemd and --init, not both');
  if (systemd === true) return 'systemd';
  const kind = init === true ? 'init' : await kindHere(places);
  if (kind === undefined) throw new Unfit('nothing here looks after services: neither systemd nor /etc/init.d');
  return kind;
}

/** Shows the steps, asks, and takes them. False: it was not wanted. */
async function goThrough(steps: readonly Step[], yes: boolean | undefined): Promise<boolean> {
  if (process.getuid?.() !== 0) throw new Unfit('only root can do that; --print shows what would be written');
  say(steps.map((step) => `  ${step.says}`).join('\n'));
  const wanted = yes === true || (await agreed('Do that?'));
  if (wanted === undefined) throw new Unfit('there is nobody to ask; --yes goes ahead');
  if (!wanted) return false;
  for (const step of steps) await step.take();
  return true;
}

async function telling(act: () => Promise<number>): Promise<number> {
  try {
    return await act();
  } catch (error) {
    const isMistake = error instanceof Unfit || error instanceof ConfigError;
    if (!isMistake && !(error instanceof CommandFailed)) throw error;
    process.stderr.write(`sampan: ${error.message.trimEnd()}\n`);
    return isMistake ? 2 : 1;
  }
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
