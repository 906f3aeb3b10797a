// Whether a file at rest is still what it is called.
import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { algorithmOf, type Digest, hexOf } from '../../core/oci/digest.ts';

/** As much as is hashed between two turns of the event loop: under a millisecond's worth. */
const slice = 1024 * 1024;

/** Reads and hashes all of it. */
export async function isIntact(handle: FileHandle, digest: Digest): Promise<boolean> {
  const hash = createHash(algorithmOf(digest));
  const buffer = Buffer.allocUnsafeSlow(slice);
  for (let offset = 0; ;) {
    // Not its own position: the descriptor is shared with those who read the blob.
    const { bytesRead } = await handle.read(buffer, 0, slice, offset);
    if (bytesRead === 0) return hash.digest('hex') === hexOf(digest);
    hash.update(buffer.subarray(0, bytesRead));
    offset += bytesRead;
  }
}
