// What config.toml imports: files of which each takes the place of what was said before about a plugin.
import { isRecord, type Machine, Refusal, understand, valueAt } from './plan.ts';

export interface Imported {
  readonly path: string;
  readonly found: unknown;
}

/** The last imported file with a table of one of `plugins`, which is the one that counts, and all that it means. */
export function importedLast(
  config: string,
  found: unknown,
  plugins: readonly string[],
  machine: Machine,
  unsaid: readonly string[],
): Imported | undefined {
  const files = [{ path: config, found }];
  // In containerd's order, each file once, and those that an imported file imports behind all others.
  for (const file of files) {
    const said = valueAt(file.found, ['imports']) ?? (file.path === config ? unsaid : []);
    for (const path of Array.isArray(said) ? said.flatMap((each) => filesOf(String(each), file.path, machine)) : []) {
      if (files.some((each) => each.path === path)) continue;
      files.push({ path, found: understand(path, machine.read(path) ?? '', machine.parse.toml) });
    }
  }
  return files.slice(1).findLast((file) => {
    const tables = valueAt(file.found, ['plugins']);
    return isRecord(tables) && plugins.some((plugin) => plugin in tables);
  });
}

/** A path, which may be told from the file that imports it, or a pattern in a folder's names. */
function filesOf(said: string, from: string, machine: Machine): string[] {
  const path = said.startsWith('/') || said.includes('*') ? said : `${folderOf(from)}/${said.replace(/^\.\//, '')}`;
  const folder = folderOf(path);
  const name = path.slice(folder.length + 1);
  if (!path.startsWith('/') || /[*?[\\]/.test(folder) || /[?[\\]/.test(name) || /(?:^|\/)\.{1,2}\//.test(path)) {
    throw new Refusal(
      `${from} imports ${said}, which cannot be followed from here; say in which file config_path belongs, by hand`,
    );
  }
  if (!name.includes('*')) return [path];
  const pattern = new RegExp(`^${name.replace(/[.+^$(){}|\]]/g, '\\$&').replaceAll('*', '.*')}$`);
  return machine.list(folder).flatMap((each) => (pattern.test(each) ? [`${folder}/${each}`] : []));
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
