// What a server has taken so far: processor time and memory. Linux only.
import { readFile, writeFile } from 'node:fs/promises';
import type { Cost } from '../samples.ts';

/** Ticks that Linux counts a second, whatever it does inside (proc(5)). */
const ticks = 100;

/** Of the process and its children: seconds of all processors, and the highest memory of each, in MB. Nothing of no process. */
export async function costOf(pid: number | undefined): Promise<Record<Cost, number | undefined>> {
  if (pid === undefined) return { cpu: undefined, memory: undefined };
  const all = await Promise.all(
    (await family(pid)).map(async (each) => [await seconds(each), await peak(each)] as const),
  );
  return {
    cpu: all.reduce((sum, [cpu]) => sum + cpu, 0),
    memory: all.reduce((sum, [, memory]) => sum + memory, 0),
  };
}

/** The highest memory is that of what comes from now on (proc(5), clear_refs). */
export async function forgetPeak(pid: number): Promise<void> {
  for (const each of await family(pid)) await writeFile(`/proc/${each}/clear_refs`, '5');
}

async function family(pid: number): Promise<readonly number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const below = await Promise.all(children.split(' ').filter(Boolean).map(Number).map(family));
  return [pid, ...below.flat()];
}

async function seconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name, in parentheses, may contain anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user, system] = [fields[11], fields[12]];
  return (Number(user) + Number(system)) / ticks;
}

/** What the process has in memory just now, in MB. */
export async function residentOf(pid: number): Promise<number> {
  return told(pid, 'VmRSS');
}

function peak(pid: number): Promise<number> {
  return told(pid, 'VmHWM');
}

async function told(pid: number, field: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return (Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024) / 1e6;
}
