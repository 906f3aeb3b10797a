// What a disk does wrong, told by the codes of the system's and SQLite's errors: one fault has many of them.

const faults: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the quota on the disk is used up'],
  ['EROFS', 'the disk is read-only'],
  ['EIO', 'the disk fails'],
  ['ESTALE', 'the disk is gone'],
  ['ENODEV', 'the disk is gone'],
  ['ENOTCONN', 'the disk is gone'],
  // Of SQLite (https://sqlite.org/rescode.html): FULL, READONLY, IOERR.
  [13, 'the disk is full'],
  [8, 'the disk is read-only'],
  [10, 'the disk fails'],
]);

/** In words; undefined if it is not the disk's fault. */
export function diskFaultOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const result: unknown = Reflect.get(error, 'errcode');
  // The low byte is the primary code.
  return faults.get(typeof result === 'number' ? result & 0xff : Reflect.get(error, 'code'));
}
