// One tree out of the file, the environment and the command line, which still knows where each key was written.
import type { Setting } from './environment.ts';
import type { ConfigFile } from './file.ts';
import type { Path } from '../../config/problem.ts';
import { valueAt, type Written } from '../../config/written.ts';

/** Later settings win over earlier ones, and all over the file. */
export function layer(file: ConfigFile | undefined, settings: readonly Setting[]): Written {
  const tree = settings.reduce<unknown>((below, { path, value }) => withKey(below, path, value), file?.content ?? {});
  return {
    tree,
    where: (path) => settings.findLast((setting) => startsWith(path, setting.path))?.where ?? file?.where(path),
  };
}

/** What is no map stays as it is, to be complained of. */
function withKey(tree: unknown, [key, ...further]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const map = tree ?? {};
  if (typeof map !== 'object' || Array.isArray(map)) return tree;
  return { ...map, [key]: withKey(valueAt(map, [key]), further, value) };
}

function startsWith(path: Path, start: Path): boolean {
  return start.every((step, at) => path[at] === step);
}
