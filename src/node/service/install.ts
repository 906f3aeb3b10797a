// What has to be done to install sampan as a service, and to take it away again: steps that are shown before they are taken.
import { rmSync } from 'node:fs';
import { writeWhole } from '../whole-file.ts';
import type { Places, ServiceFacts } from './facts.ts';
import { Unfit } from './gather.ts';
import { initScriptText } from './init-script.ts';
import { type Installed, placeOf, whoseIs } from './installed.ts';
import { closedTo, CommandFailed, exists, findUser, hasProgram, type Kind, run } from './machine.ts';
import { shellWord } from './shell-word.ts';
import { unitText } from './unit.ts';

export interface Step {
  /** As somebody would do it by hand. */
  readonly says: string;
  take(): Promise<void>;
}

export function textFor(kind: Kind, facts: ServiceFacts, places: Places): string {
  return kind === 'systemd' ? unitText(facts, places) : initScriptText(facts, places);
}

/** Throws Unfit. */
export async function stepsToInstall(kind: Kind, facts: ServiceFacts, places: Places): Promise<readonly Step[]> {
  const { user, data, config } = facts;
  const person = await findUser(user);
  // Who is made has a group of his name; who is there may have any.
  const group = String(person?.gid ?? user);
  const account = ['useradd', '--system', '--user-group', '--no-create-home', '--home-dir', data];
  const closed = config !== undefined && (await closedTo(person, config)) === config;
  const text = textFor(kind, facts, places);
  const booted = await exists(places.systemd);
  return [
    ...(person === undefined ? [command(...account, '--shell', '/usr/sbin/nologin', user)] : []),
    ...((await exists(data)) ? [] : [command('install', '-d', '-o', user, '-g', group, '-m', '0700', data)]),
    ...(closed ? [command('chgrp', group, config), command('chmod', 'g+r', config)] : []),
    ...(await clearing(kind, places)),
    ...(kind === 'systemd'
      ? [
          await writing(places.unit, text, 0o644),
          ...(booted ? [command('systemctl', 'daemon-reload')] : []),
          command('systemctl', 'enable', 'sampan.service'),
          ...(booted ? [command('systemctl', 'restart', 'sampan.service')] : []),
        ]
      : [
          await writing(places.script, text, 0o755),
          ...(await enabling('defaults', '--add', 'add')),
          command(places.script, 'restart'),
        ]),
  ];
}

/** What is there of ours is stopped by what had started it: only that knows as whom it runs. */
async function clearing(kind: Kind, places: Places): Promise<readonly Step[]> {
  const other = kind === 'systemd' ? 'init' : 'systemd';
  const replaced = (await whoseIs(placeOf(other, places))) === 'ours' ? await stepsToUninstall(other, places) : [];
  // systemd knows by itself.
  const isRenewed = kind === 'init' && (await whoseIs(places.script)) === 'ours';
  return isRenewed ? [...replaced, command(places.script, 'stop')] : replaced;
}

export async function stepsToUninstall(kind: Kind, places: Places): Promise<readonly Step[]> {
  const { unit, script, pidFile } = places;
  if (kind === 'systemd' && (await exists(places.systemd))) {
    const stopping = command('systemctl', 'disable', '--now', 'sampan.service');
    return [stopping, removing(unit), command('systemctl', 'daemon-reload')];
  }
  if (kind === 'systemd') {
    const disabling = (await hasProgram('systemctl')) ? [command('systemctl', 'disable', 'sampan.service')] : [];
    return [...disabling, removing(unit)];
  }
  // `update-rc.d remove` wants the script gone, `chkconfig --del` wants it there: each gets its way.
  const away = await enabling('remove', '--del', 'del');
  const hasRc = away.some(({ says }) => says.startsWith('update-rc.d'));
  const gone = [removing(script), removing(pidFile)];
  return [command(script, 'stop'), ...(hasRc ? [...gone, ...away] : [...away, ...gone])];
}

/** For a shell, what takes away what uninstalling leaves. A user who lives elsewhere was not made for this. */
export async function wordsToForget({ data, user }: Installed): Promise<string> {
  const person = await findUser(user);
  return `rm -r ${shellWord(data)}${person?.home === data ? ` && userdel ${user}` : ''}`;
}

/** By the program that this system has for that; nothing if it has none. */
async function enabling(debian: string, redhat: string, openrc: string): Promise<readonly Step[]> {
  const ways = [
    ['update-rc.d', 'sampan', debian],
    ['chkconfig', redhat, 'sampan'],
    ['rc-update', openrc, 'sampan'],
  ] as const;
  for (const way of ways) {
    if (await hasProgram(way[0])) return [command(...way)];
  }
  return [];
}

function command(...words: readonly string[]): Step {
  return { says: words.map(shellWord).join(' '), take: () => run(words) };
}

async function writing(path: string, text: string, mode: number): Promise<Step> {
  const whose = await whoseIs(path);
  if (whose === 'another') throw new Unfit(`${path} is there, and sampan did not write it; put it away first`);
  return touching(`${whose === 'ours' ? 'replace' : 'write'} ${shellWord(path)}`, () =>
    writeWhole(path, text, { mode }),
  );
}

function removing(path: string): Step {
  return touching(`rm -f ${shellWord(path)}`, () => rmSync(path, { force: true }));
}

function touching(says: string, act: () => void): Step {
  return {
    says,
    async take() {
      try {
        act();
      } catch (error) {
        throw new CommandFailed(`${says} failed: ${(error as Error).message}`);
      }
    },
  };
}
