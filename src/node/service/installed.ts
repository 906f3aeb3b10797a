// What is installed as the service of this machine, by whom it may have been, and whether it may be replaced.
import { lstat, readFile } from 'node:fs/promises';
import { parseFactLines, type Places, type Remembered } from './facts.ts';
import type { Kind } from './machine.ts';

export interface Installed extends Remembered {
  readonly kind: Kind;
  readonly path: string;
}

export function placeOf(kind: Kind, { unit, script }: Places): string {
  return kind === 'systemd' ? unit : script;
}

/** Undefined if it is not, or what is there is not ours. */
export async function findInstalled(places: Places): Promise<Installed | undefined> {
  for (const kind of ['systemd', 'init'] as const) {
    const path = placeOf(kind, places);
    const remembered = parseFactLines(await readFile(path, 'utf8').catch(() => ''));
    if (remembered !== undefined) return { kind, path, ...remembered };
  }
  return undefined;
}

/** A link is nobody's of ours either, wherever it leads. */
export async function whoseIs(path: string): Promise<'nobody' | 'ours' | 'another'> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return 'nobody';
  return found.isFile() && parseFactLines(await readFile(path, 'utf8')) !== undefined ? 'ours' : 'another';
}
