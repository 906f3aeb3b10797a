// One tree out of several places where settings are written, which still knows where each key was written.
import type { Path } from './problem.ts';
import { valueAt, type Written } from './written.ts';

/** One key that stands outside the tree. */
export interface Setting {
  readonly path: readonly string[];
  readonly value: unknown;
  /** `SAMPAN_LISTEN`, `--listen` */
  readonly where: string;
}

/** Later settings win over earlier ones, and all over the tree. */
export function layer(below: Written | undefined, settings: readonly Setting[]): Written {
  const tree = settings.reduce<unknown>((under, { path, value }) => withKey(under, path, value), below?.tree ?? {});
  return {
    tree,
    where: (path) => settings.findLast((setting) => startsWith(path, setting.path))?.where ?? below?.where(path),
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
