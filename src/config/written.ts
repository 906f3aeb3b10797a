// A tree of settings as somebody wrote it, which still knows where each key was written.
import type { Path } from './problem.ts';

export interface Written {
  readonly tree: unknown;
  readonly where: (path: Path) => string | undefined;
}

/** The value at a path; undefined if there is none. */
export function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step) ? Reflect.get(value, step) : undefined,
    tree,
  );
}
