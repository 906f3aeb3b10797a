// What to say where the system did not let us at a file.

/** Undefined if it is about something else. */
export function whyNotPermitted(error: unknown, isRoot = process.getuid?.() === 0): string | undefined {
  const { code, path = 'a file', dest = path } = error as NodeJS.ErrnoException & { readonly dest?: string };
  if (code === 'EROFS') return `${path}: lies on what may only be read`;
  if (code === 'EBUSY') {
    return `${dest}: cannot be replaced, as where a container has a single file mounted: mount the directory that it is in, or change it by hand`;
  }
  if (code !== 'EACCES' && code !== 'EPERM') return undefined;
  return `${path}: not permitted${isRoot ? ', not even to root; lsattr and findmnt may tell why' : '; run it with sudo'}`;
}
