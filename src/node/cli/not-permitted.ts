// What to say where the system did not let us at a file.

/** Undefined if it is about something else. */
export function whyNotPermitted(error: unknown, isRoot = process.getuid?.() === 0): string | undefined {
  const { code, path = 'a file' } = error as NodeJS.ErrnoException;
  if (code !== 'EACCES' && code !== 'EPERM') return undefined;
  return `${path}: not permitted${isRoot ? ', not even to root; lsattr and findmnt may tell why' : '; run it with sudo'}`;
}
