// Bringing the ledger to what is on disk after a crash or the loss of the book, in slices, while serving.
import { readdir } from 'node:fs/promises';
import { type Algorithm, type Digest, isDigest } from '../../core/oci/digest.ts';
import { isMissing, type Layout } from './layout.ts';
import type { Ledger } from './ledger.ts';
import type { Shelf } from './shelf.ts';

const algorithms: readonly Algorithm[] = ['sha256', 'sha512'];

/** Answers whether it came to the end: false if it was stopped, or if the book could not tell. */
export async function reconcile(layout: Layout, ledger: Ledger, shelf: Shelf, signal: AbortSignal): Promise<boolean> {
  for (const algorithm of algorithms) {
    for (let shard = 0; shard < 256; shard += 1) {
      if (signal.aborted) return false;
      const prefix = shard.toString(16).padStart(2, '0');
      const files = await blobsIn(layout.shard(algorithm, prefix), algorithm);
      const rows = await ledger.beginning(`${algorithm}:${prefix}`);
      if (rows === undefined) return false;
      const sizes = new Map(rows.map(({ digest, size }) => [digest, size]));
      // Each is looked at again there, for much may have happened in between.
      for (const digest of new Set([...files, ...sizes.keys()])) await shelf.reconcile(digest, sizes.get(digest));
    }
  }
  return true;
}

/** Anything else that lies there is not ours and stays. */
async function blobsIn(shard: string, algorithm: Algorithm): Promise<Set<Digest>> {
  const names = await readdir(shard).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return new Set(names.map((name) => `${algorithm}:${name}`).filter((name) => isDigest(name)));
}
