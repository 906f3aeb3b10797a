// A part of an open file into a response, in the fastest way that its connection has.
import type { HeldFile } from '../../core/mirror/reply.ts';
import type { Range } from '../../core/oci/range.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { copyFile } from './copy-file.ts';
import type { Outlet } from './outlet.ts';
import { type Pouring, pourFile } from './pour-file.ts';
import type { ReadCached } from './sendfile.ts';

/** How files are sent. */
export interface FileWays {
  readonly buffers: BufferPool;
  /** Undefined: through buffers, all of them. */
  readonly pouring?: Pouring | undefined;
  /** Where each write leaves a turn to others: what needs no disk is then read without another thread. */
  readonly readCached?: ReadCached | undefined;
}

/** Closes the file, whatever happens. Throws if not all of it can be read, or if it turns out to be bad meanwhile. */
export async function sendFile(
  outlet: Outlet,
  file: HeldFile,
  range: Range | undefined,
  { buffers, pouring, readCached }: FileWays,
): Promise<void> {
  const part = range ?? { offset: 0, length: file.size };
  try {
    if (pouring !== undefined && outlet.takesFiles) await pourFile(outlet, file, part, buffers, pouring);
    else await copyFile(outlet, file, part, buffers, readCached);
  } finally {
    file.close();
  }
}
