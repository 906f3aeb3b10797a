// A part of an open file into a response: one buffer is filled while the other is written.
import { read } from 'node:fs';
import type { HeldFile } from '../../core/mirror/reply.ts';
import type { Range } from '../../core/oci/range.ts';
import type { BufferPool } from '../buffer-pool.ts';
import type { Outlet } from './outlet.ts';

/** Closes the file, whatever happens. Throws if not all of it can be read, or if it turns out to be bad meanwhile. */
export async function sendFile(
  outlet: Outlet,
  file: HeldFile,
  range: Range | undefined,
  pool: BufferPool,
): Promise<void> {
  const { offset, length } = range ?? { offset: 0, length: file.size };
  const buffers = [pool.take(length), pool.take(length)] as const;
  try {
    const whole = await copy(outlet, file, offset, offset + length, buffers);
    // After a write that did not end well a buffer may still be in somebody's hands.
    if (whole) for (const buffer of buffers) pool.giveBack(buffer);
  } finally {
    file.close();
  }
}

/**
 * When it returns or throws, no read is in flight: a write never throws here, so it is the read that ends `all` early.
 * False: the client has left.
 */
async function copy(
  outlet: Outlet,
  file: HeldFile,
  start: number,
  end: number,
  [first, second]: readonly [Buffer, Buffer],
): Promise<boolean> {
  let [full, free] = [first, second];
  let count = await readInto(full, file, start, end);
  for (let offset = start + count; count > 0; offset += count) {
    if (file.bad === true) throw new Error('the blob turned bad on the disk');
    const [taken, next] = await Promise.all([outlet.write(full.subarray(0, count)), readInto(free, file, offset, end)]);
    if (!taken) return false;
    [full, free] = [free, full];
    count = next;
  }
  return true;
}

/** 0 at `end`. */
function readInto(buffer: Buffer, file: HeldFile, offset: number, end: number): Promise<number> {
  const length = Math.min(buffer.length, end - offset);
  if (length === 0) return Promise.resolve(0);
  return new Promise((resolve, reject) => {
    read(file.descriptor, buffer, 0, length, offset, (error, count) => {
      if (error === null && count > 0) return resolve(count);
      file.suspect?.();
      reject(error ?? new Error('the blob ends too early on the disk'));
    });
  });
}
