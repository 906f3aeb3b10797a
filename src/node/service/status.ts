// How the service is: installed, running, since when, and whether it answers.
import { readFile, stat } from 'node:fs/promises';
import { formatAddress } from '../config/address.ts';
import { parseFactLines, type Places, type Remembered } from './facts.ts';
import { configOf } from './gather.ts';
import { type Kind, outputOf } from './machine.ts';

export interface Installed extends Remembered {
  readonly kind: Kind;
  readonly path: string;
}

/** Undefined if it is not, or what is there is not ours. */
export async function findInstalled({ unit, script }: Places): Promise<Installed | undefined> {
  for (const [kind, path] of [['systemd', unit] as const, ['init', script] as const]) {
    const remembered = parseFactLines(await readFile(path, 'utf8').catch(() => ''));
    if (remembered !== undefined) return { kind, path, ...remembered };
  }
  return undefined;
}

export interface Running {
  readonly pid: number;
  readonly since: Date;
}

/** Undefined: it does not run. */
export async function findRunning({ kind }: Installed, { pidFile }: Places): Promise<Running | undefined> {
  const told =
    kind === 'systemd'
      ? await outputOf('systemctl', ['show', '--property=MainPID', '--value', 'sampan.service'])
      : await readFile(pidFile, 'utf8').catch(() => '');
  const pid = Number(told);
  const begun = pid > 0 ? await stat(`/proc/${pid}`).catch(() => undefined) : undefined;
  return begun && { pid, since: begun.ctime };
}

const anyHost: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };
/** Milliseconds. */
const patience = 5000;

/** Why it is not well; undefined: it is. Throws ConfigError. */
export async function findAilment(installed: Installed, places: Places): Promise<string | undefined> {
  const { listen } = await configOf(installed, places);
  const url = `http://${formatAddress({ ...listen, host: anyHost[listen.host] ?? listen.host })}/healthz`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(patience) }).catch(() => undefined);
  if (answer === undefined) return `${url} does not answer`;
  return answer.ok ? undefined : `${url} answers ${answer.status}`;
}
