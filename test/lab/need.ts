// Which programs of the lab this machine has. What is missing is skipped by name; in CI nothing may be.
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** Debian keeps daemons where an ordinary user's PATH does not look. */
export const path = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`;

/** For the `skip` option of a test: false, or why it is skipped. Throws if SAMPAN_TEST_SKIP is `forbid`. */
export function need(...programs: readonly string[]): string | false {
  const reasons = programs.filter((program) => !installed(program)).map((program) => `${program} is not installed`);
  const powerless = process.getuid?.() !== 0 && needsRoot.some((program) => programs.includes(program));
  if (powerless) reasons.push('this is not root');
  if (reasons.length === 0) return false;
  const why = reasons.join(', ');
  if (process.env['SAMPAN_TEST_SKIP'] === 'forbid') throw new Error(`nothing may be skipped, but ${why}`);
  return why;
}

const needsRoot = ['start-stop-daemon', 'dockerd', 'containerd', 'podman', 'buildah'];

function installed(program: string): boolean {
  return path.split(':').some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
