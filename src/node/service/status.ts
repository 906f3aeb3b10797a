// How the installed service is: running, since when, and whether it answers where it listens.
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import { type Places, servingName } from './facts.ts';
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
  const since = pid > 0 ? parseStart(await readProcess(`${pid}/stat`), await readProcess('stat')) : undefined;
  return since && { pid, since };
}

/** In which Linux tells times of processes, to every program. */
const ticksPerSecond = 100;

/** `line`: of `/proc/PID/stat`; `system`: `/proc/stat` (proc(5)). Undefined if they do not tell. */
export function parseStart(line: string, system: string): Date | undefined {
  // The twenty-second field; the second, in brackets, may have anything in it.
  const ticks = Number(line.slice(line.lastIndexOf(')')).split(' ')[20]);
  const booted = Number(/^btime (\d+)$/m.exec(system)?.[1]);
  const seconds = booted + Math.floor(ticks / ticksPerSecond);
  return Number.isNaN(seconds) ? undefined : new Date(1000 * seconds);
}

function readProcess(name: string): Promise<string> {
  return readFile(`/proc/${name}`, 'utf8').catch(() => '');
}

const anyHost: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' };
/** Milliseconds. */
const patience = 5000;

/** Why it is not well; undefined: it is. The configuration may say by now that it is to listen elsewhere. */
export async function findAilment(pid: number): Promise<string | undefined> {
  const title = await readProcess(`${pid}/cmdline`);
  const [, told = ''] = title.replace(/\0[^]*/, '').split(`${servingName} `);
  const url = URL.parse('/healthz', told);
  if (url === null) return 'it does not listen yet';
  url.hostname = anyHost[url.hostname] ?? url.hostname;
  // Whoever answers there is the process; its certificate is for the name by which clients know it.
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
  const signal = AbortSignal.timeout(patience);
  const answer = await request(url, { dispatcher, signal }).catch(() => undefined);
  await dispatcher.destroy();
  if (answer === undefined) return `${url.href} does not answer`;
  return answer.statusCode === 200 ? undefined : `${url.href} answers ${answer.statusCode}`;
}
