// How much memory a server has taken at most.
import { readFile } from 'node:fs/promises';

/** The highest so far of the process and its children, each by itself, in MB. Linux only. */
export async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const own = (Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024) / 1e6;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const below = await Promise.all(
    children
      .split(' ')
      .filter(Boolean)
      .map((each) => peakMemory(Number(each))),
  );
  return below.reduce((sum, each) => sum + each, own);
}
