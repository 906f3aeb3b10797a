// How much of the file system blobs may still take.
import { statfs } from 'node:fs/promises';

/** Bytes; below 0 if the disk is fuller than we would ever make it. */
export async function freeSpace(path: string): Promise<number> {
  const { bavail, blocks, bsize } = await statfs(path);
  return bavail * bsize - keptFree(blocks * bsize);
}

/** A full disk harms more than the cache: the log, the book, whoever else writes there. Of a small disk no more than a tenth. */
export function keptFree(total: number): number {
  return Math.min(total / 10, Math.max(total / 100, 256e6));
}
