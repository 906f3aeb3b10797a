// What systemd runs as a service: the unit and its drop-ins that count, wherever a vendor or an administrator has put them.
import type { Machine } from './plan.ts';

/** What comes first takes the place of what has the same name further on. */
const folders = ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib'].map((each) => `${each}/systemd/system`);

/** The unit's file, and the drop-ins in the order in which they are read. */
export function unitFiles(service: string, machine: Machine): string[] {
  const unit = `${service}.service`;
  const file = folders.map((folder) => `${folder}/${unit}`).find((path) => machine.read(path) !== undefined);
  const dropIns = new Map<string, string>();
  for (const folder of folders.toReversed()) {
    for (const name of machine.list(`${folder}/${unit}.d`)) dropIns.set(name, `${folder}/${unit}.d/${name}`);
  }
  const names = [...dropIns.keys()].filter((name) => name.endsWith('.conf')).toSorted();
  return [...(file === undefined ? [] : [file]), ...names.map((name) => dropIns.get(name) ?? '')];
}

/** The lines of a unit, of an environment file or of a shell's file that are no comments. */
export function linesOf(path: string, machine: Machine): string[] {
  return (machine.read(path) ?? '').split('\n').filter((line) => !/^\s*[#;]/.test(line));
}
