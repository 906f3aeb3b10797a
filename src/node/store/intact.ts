// Whether a file at rest is still what it is called.
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { algorithmOf, type Digest, hexOf } from '../../core/oci/digest.ts';
import { isCode } from './layout.ts';

/** As much as is hashed between two turns of the event loop: a fraction of a millisecond's worth. */
const slice = 256 * 1024;

/**
 * Reads and hashes all of it. What the disk cannot read any more is not intact; any other trouble is thrown.
 * `pace` is waited for behind each slice.
 */
export async function isIntact(
  handle: FileHandle,
  digest: Digest,
  pace?: (bytes: number) => Promise<void>,
): Promise<boolean> {
  const hash = createHash(algorithmOf(digest));
  const buffer = Buffer.allocUnsafeSlow(slice);
  for (let offset = 0; ;) {
    // Not its own position: the descriptor may be shared with those who read the blob.
    const bytesRead = await readSlice(handle, buffer, offset);
    if (bytesRead === undefined) return false;
    if (bytesRead === 0) return hash.digest('hex') === hexOf(digest);
    hash.update(buffer.subarray(0, bytesRead));
    offset += bytesRead;
    await pace?.(bytesRead);
  }
}

/** Whether it can be that, as far as is known without reading it. `listed`: its size, if somebody knows. */
export function isPlausible(digest: Digest, size: number, listed: number | undefined): boolean {
  if (listed !== undefined && size !== listed) return false;
  return size > 0 || createHash(algorithmOf(digest)).digest('hex') === hexOf(digest);
}

/** Undefined if the disk has lost it. */
async function readSlice(handle: FileHandle, buffer: Buffer, offset: number): Promise<number | undefined> {
  try {
    return (await handle.read(buffer, 0, buffer.length, offset)).bytesRead;
  } catch (error) {
    if (isCode(error, 'EIO')) return undefined;
    throw error;
  }
}
