// A file that is read, changed and written by one command at a time: of two at once, one would write over what the other wrote.
import { closeSync, openSync, realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Refusal } from '../../core/clients/plan.ts';
import { Disk, type Kept } from '../clients/disk.ts';

/** Throws Refusal while somebody else does, and for what is not there. */
export async function alone<T>(path: string, act: () => Promise<T>): Promise<T> {
  const { name, file } = lock(path);
  try {
    return await act();
  } finally {
    closeSync(file);
    rmSync(name, { force: true });
  }
}

function lock(path: string): { readonly name: string; readonly file: number } {
  try {
    const real = realpathSync(path);
    const name = join(dirname(real), `.${basename(real)}.lock`);
    return { name, file: openSync(name, 'wx', 0o600) };
  } catch (error) {
    const { code, path: name } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new Refusal(`another sampan account is changing ${path}; if none is, remove ${name}`);
    if (code === 'ENOENT') throw new Refusal(`${path} is not there`);
    throw error;
  }
}

export interface Rewritten extends Omit<Kept, 'text'> {
  /** Not every line of it is as it was, beside those that were meant. */
  readonly isAnew: boolean;
}

/** Whole or not at all; whose it is, and who may read it, stays so. */
export function rewrite(path: string, change: (text: string) => string): Rewritten {
  const disk = new Disk('/');
  const before = disk.keep(path);
  if (before === undefined) throw new Refusal(`${path} is not there`);
  const { text, ...as } = before;
  const changed = change(text);
  disk.write(path, changed, as);
  return { ...as, isAnew: !holds(changed, text) && !holds(text, changed) };
}

/** Every line, in their order. */
function holds(whole: string, part: string): boolean {
  const lines = whole.split('\n').values();
  return part
    .trimEnd()
    .split('\n')
    .every((line) => lines.some((each) => each === line));
}
