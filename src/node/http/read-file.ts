// One read of a file that is being sent, and what is wrong with the file.
import { read } from 'node:fs';
import type { HeldFile } from '../../core/mirror/reply.ts';
import type { ReadCached } from './sendfile.ts';

/**
 * As much as goes into the buffer; 0 at `end`. Throws, and tells the store, if there is nothing to be read before that.
 * `readCached`: tried first, for it spares the way to another thread and back.
 */
export function readInto(
  buffer: Buffer,
  file: HeldFile,
  offset: number,
  end: number,
  readCached?: ReadCached,
): Promise<number> {
  const length = Math.min(buffer.length, end - offset);
  if (length === 0) return Promise.resolve(0);
  const cached = readCached?.(file.descriptor, buffer, offset, length) ?? 0;
  if (cached > 0) return Promise.resolve(cached);
  return new Promise((resolve, reject) => {
    read(file.descriptor, buffer, 0, length, offset, (error, count) => {
      if (error === null && count > 0) return resolve(count);
      file.suspect?.();
      reject(error ?? new Error('the blob ends too early on the disk'));
    });
  });
}

/** To be asked before each part goes out. */
export function checkGood(file: HeldFile): void {
  if (file.bad === true) throw new Error('the blob turned bad on the disk');
}
