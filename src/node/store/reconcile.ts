// Bringing the ledger to what is on disk after a crash or the loss of the book, a shard at a time, while serving.
import { readdir } from 'node:fs/promises';
import type { Report } from '../../core/mirror/events.ts';
import { type Algorithm, type Digest, isDigest } from '../../core/oci/digest.ts';
import { isMissing, type Layout } from './layout.ts';
import type { Ledger } from './ledger.ts';
import type { Shelf } from './shelf.ts';

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
  const files = await blobsIn(layout.shard(algorithm, prefix), algorithm);
  const rows = await ledger.beginning(`${algorithm}:${prefix}`);
  if (rows === undefined) return false;
  const sizes = new Map(rows.map(({ digest, size }) => [digest, size]));
  // Each is looked at again there, for much may have happened in between.
  for (const digest of new Set([...files, ...sizes.keys()])) await shelf.reconcile(digest, sizes.get(digest));
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
