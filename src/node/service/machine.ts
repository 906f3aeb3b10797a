// The machine that a service is installed on: what runs its services, who lives on it, and commands that change it.
import { execFile } from 'node:child_process';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { Places } from './facts.ts';

const execute = promisify(execFile);

export type Kind = 'systemd' | 'init';

/** What runs the services here; undefined: neither of the two. */
export async function kindHere({ systemd, script }: Places): Promise<Kind | undefined> {
  if (await exists(systemd)) return 'systemd';
  return (await exists(dirname(script))) ? 'init' : undefined;
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

export interface Person {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Undefined if there is none of that name. */
export async function findUser(name: string): Promise<Person | undefined> {
  const [, , uid, gid, , home] = (await outputOf('getent', ['passwd', name])).split(':');
  if (uid === undefined || gid === undefined || home === undefined) return undefined;
  return { uid: Number(uid), gid: Number(gid), home };
}

/** The first on the way to a file, or the file, that is closed to a person; undefined: none. To somebody who is still to come, what is closed to others. */
export async function closedTo(person: Person | undefined, path: string): Promise<string | undefined> {
  if (person?.uid === 0) return undefined;
  for (const each of [...parents(path), path]) {
    const found = await stat(each);
    const bit = found.isDirectory() ? 0o1 : 0o4;
    const shift = found.uid === person?.uid ? 6 : found.gid === person?.gid ? 3 : 0;
    if ((found.mode & (bit << shift)) === 0) return each;
  }
  return undefined;
}

function parents(path: string): readonly string[] {
  const above = dirname(path);
  return above === path ? [] : [...parents(above), above];
}

export async function hasProgram(name: string): Promise<boolean> {
  return (await outputOf('sh', ['-c', `command -v ${name}`])) !== '';
}

/** What a program says; nothing if it fails or is not there. */
export async function outputOf(program: string, args: readonly string[]): Promise<string> {
  try {
    return (await execute(program, args)).stdout;
  } catch {
    return '';
  }
}

export class CommandFailed extends Error {}

/** Throws CommandFailed. */
export async function run([program = '', ...args]: readonly string[]): Promise<void> {
  try {
    await execute(program, args);
  } catch (error) {
    const { stderr = '', message } = error as { stderr?: string; message: string };
    throw new CommandFailed(`${[program, ...args].join(' ')} failed: ${stderr.trim() || message}`);
  }
}
