// A part of a file out through two buffers: one is filled while the other is written.
import type { HeldFile } from '../../core/mirror/reply.ts';
import type { Range } from '../../core/oci/range.ts';
import type { BufferPool } from '../buffer-pool.ts';
import type { Outlet } from './outlet.ts';
import { checkGood, readInto } from './read-file.ts';
import type { ReadCached } from './sendfile.ts';

/** Throws if not all of it can be read, or if it turns out to be bad meanwhile. */
export async function copyFile(
  outlet: Outlet,
  file: HeldFile,
  part: Range,
  pool: BufferPool,
  readCached?: ReadCached,
): Promise<void> {
  const buffers = [pool.take(part.length), pool.take(part.length)] as const;
  const whole = await copy(outlet, file, part, buffers, readCached);
  // After a write that did not end well a buffer may still be in somebody's hands.
  if (whole) for (const buffer of buffers) pool.giveBack(buffer);
}

/**
 * When it returns or throws, no read is in flight: a write never throws here, so it is the read that ends `all` early.
 * False: the client has left.
 */
async function copy(
  outlet: Outlet,
  file: HeldFile,
  part: Range,
  [first, second]: readonly [Buffer, Buffer],
  readCached: ReadCached | undefined,
): Promise<boolean> {
  const end = part.offset + part.length;
  let [full, free] = [first, second];
  let count = await readInto(full, file, part.offset, end, readCached);
  for (let offset = part.offset + count; count > 0; offset += count) {
    checkGood(file);
    const [taken, next] = await Promise.all([
      outlet.write(full.subarray(0, count)),
      readInto(free, file, offset, end, readCached),
    ]);
    if (!taken) return false;
    [full, free] = [free, full];
    count = next;
  }
  return true;
}
