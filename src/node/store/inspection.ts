// A slow look at one blob that stands in nobody's way: whoever wants the blob gone has it closed first.
import { open } from 'node:fs/promises';
import type { Digest } from '../../core/oci/digest.ts';
import { isIntact } from './intact.ts';
import { isMissing } from './layout.ts';

/** Waited for behind each slice, of so many bytes. Rejects when the signal says so. */
export type Pace = (bytes: number, signal: AbortSignal) => Promise<void>;

interface Look {
  readonly digest: Digest;
  readonly leave: AbortController;
  readonly over: Promise<unknown>;
}

export class Inspection {
  readonly #looks = new Set<Look>();

  /** Undefined if it is not here, or left meanwhile. Throws the signal's reason. */
  async look(path: string, digest: Digest, pace: Pace, signal: AbortSignal): Promise<boolean | undefined> {
    const leave = new AbortController();
    const result = lookAt(path, digest, pace, AbortSignal.any([signal, leave.signal]));
    const look = { digest, leave, over: result.catch(() => undefined) };
    this.#looks.add(look);
    try {
      return await result;
    } catch (error) {
      if (signal.aborted || !leave.signal.aborted) throw error;
      return undefined;
    } finally {
      this.#looks.delete(look);
    }
  }

  /** Resolves when nobody here has it open. */
  async leave(digest: Digest): Promise<void> {
    for (const look of this.#looks) {
      if (look.digest !== digest) continue;
      look.leave.abort(new Error('the blob goes'));
      await look.over;
    }
  }
}

async function lookAt(path: string, digest: Digest, pace: Pace, signal: AbortSignal): Promise<boolean | undefined> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
  if (handle === undefined) return undefined;
  try {
    signal.throwIfAborted();
    return await isIntact(handle, digest, async (bytes) => {
      signal.throwIfAborted();
      await pace(bytes, signal);
    });
  } finally {
    await handle.close();
  }
}
