// What a program says of itself.
import { spawnSync } from 'node:child_process';
import { path } from '../../test/lab/need.ts';

/** Both streams, without what surrounds them. Nothing if the program is not there. */
export function said(program: string, ...args: string[]): string {
  const env = { ...process.env, PATH: path };
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: import.meta.dirname, env });
  return `${stdout ?? ''}${stderr ?? ''}`.trim();
}
