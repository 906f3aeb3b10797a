// How the installed service is: running, since when, and whether it answers.
import { readFile, stat } from 'node:fs/promises';
import { formatAddress } from '../config/address.ts';
import type { Places } from './facts.ts';
import { configOf } from './gather.ts';
import type { Installed } from './installed.ts';
import { outputOf } from './machine.ts';

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
