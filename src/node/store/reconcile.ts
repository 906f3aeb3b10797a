// Bringing the ledger to what is on disk after a crash or the loss of the book, a shard at a time, while serving.
import { opendir } from 'node:fs/promises';
import type { Report } from '../../core/mirror/events.ts';
import { type Algorithm, type Digest, isDigest } from '../../core/oci/digest.ts';
import { isMissing, type Layout } from './layout.ts';
import type { Ledger } from './ledger.ts';
import type { Shelf } from './shelf.ts';

/** Names that are read in one go. */
const page = 500;
/** Files that are looked at: no more than leaves the disk to whoever reads. */
const atOnce = 3;

/** All blobs whose digest begins so. */
interface Shard {
  readonly algorithm: Algorithm;
  readonly prefix: string;
}

const prefixes = Array.from({ length: 256 }, (_, index) => index.toString(16).padStart(2, '0'));
export const allShards: readonly Shard[] = (['sha256', 'sha512'] as const).flatMap((algorithm) =>
  prefixes.map((prefix) => ({ algorithm, prefix })),
);

export interface ReconcileParts {
  readonly layout: Layout;
  readonly ledger: Ledger;
  readonly shelf: Shelf;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** Answers with those that are still to be counted: it was stopped, the book could not tell, or the disk, which is told once. */
export async function reconcile(shards: readonly Shard[], parts: ReconcileParts): Promise<readonly Shard[]> {
  const { report, signal } = parts;
  const left: Shard[] = [];
  const failures: unknown[] = [];
  for (const shard of shards) {
    try {
      if (signal.aborted || !(await isCounted(shard, parts))) left.push(shard);
    } catch (error) {
      left.push(shard);
      failures.push(error);
    }
  }
  const [error] = failures;
  if (error !== undefined) report({ kind: 'trouble', where: 'store', doing: 'looking through the blobs', error });
  return left;
}

/** False if the book cannot tell. */
async function isCounted({ algorithm, prefix }: Shard, { layout, ledger, shelf }: ReconcileParts): Promise<boolean> {
  const digests = await blobsIn(layout.shard(algorithm, prefix), algorithm);
  const sizes = await ledger.beginning(`${algorithm}:${prefix}`);
  if (sizes === undefined) return false;
  for (const digest of sizes.keys()) digests.add(digest);
  const left = digests.values();
  // Each is looked at again there, for much may have happened in between.
  const some = async () => {
    for (const digest of left) await shelf.reconcile(digest, sizes.get(digest));
  };
  await Promise.all(Array.from({ length: atOnce }, some));
  return true;
}

/** Anything else that lies there is not ours and stays. */
async function blobsIn(shard: string, algorithm: Algorithm): Promise<Set<Digest>> {
  const found = new Set<Digest>();
  try {
    for await (const { name } of await opendir(shard, { bufferSize: page })) {
      const digest = `${algorithm}:${name}`;
      if (isDigest(digest)) found.add(digest);
    }
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return found;
}
