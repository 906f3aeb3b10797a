// What is doubted of what is at rest: whether it is still what it is called is looked at, and what is not is put aside.
import type { MirrorEvent, Report } from '../../core/mirror/events.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { isIntact } from './intact.ts';
import type { Shelved } from './open-files.ts';
import type { Quarantine } from './quarantine.ts';

export type Found = Extract<MirrorEvent, { kind: 'bad-blob' }>['found'];

export interface DoubtsParts {
  readonly quarantine: Quarantine;
  readonly report: Report;
  /** Ends all looking; the directory may be another's from then on. */
  readonly stop: AbortSignal;
  /** Opens a blob; undefined if it is not here. */
  readonly hold: (digest: Digest) => Promise<(Shelved & { readonly release: () => void }) | undefined>;
  /** Whether the name means this file, and will go on to. */
  readonly isNamed: (digest: Digest, file: Shelved['file']) => boolean;
  readonly remove: (digest: Digest, size: number, takeAway: (path: string) => Promise<void>) => Promise<void>;
}

export class Doubts {
  readonly #parts: DoubtsParts;
  readonly #checking = new Map<Digest, Promise<boolean>>();
  /** Found to be bad, and still there because the disk lets nobody take it away. */
  readonly #bad = new Set<Digest>();

  constructor(parts: DoubtsParts) {
    this.#parts = parts;
  }

  isBad(digest: Digest): boolean {
    return this.#bad.has(digest);
  }

  /** What was there is gone. */
  forget(digest: Digest): void {
    this.#bad.delete(digest);
  }

  forgetAll(): void {
    this.#bad.clear();
  }

  /**
   * Reads and hashes it. If it is not what it is called it is put aside, and the answer is false; true also if there is none.
   * False, with nothing done, if it was stopped.
   */
  check(digest: Digest, found: Found): Promise<boolean> {
    let checking = this.#checking.get(digest);
    if (checking === undefined) {
      checking = this.#reallyCheck(digest, found).finally(() => this.#checking.delete(digest));
      this.#checking.set(digest, checking);
    }
    return checking;
  }

  async #reallyCheck(digest: Digest, found: Found): Promise<boolean> {
    const { hold, stop } = this.#parts;
    if (stop.aborted) return false;
    const held = await hold(digest);
    if (held === undefined) return true;
    try {
      if (await isIntact(held.file.handle, digest, async () => stop.throwIfAborted())) return true;
      await this.condemn(digest, held, found);
      return false;
    } catch (error) {
      if (stop.aborted) return false;
      throw error;
    } finally {
      held.release();
    }
  }

  suspect(digest: Digest, found: Found): void {
    this.check(digest, found).catch((error: unknown) => {
      this.#parts.report({ kind: 'trouble', where: 'store', doing: 'checking a blob', error });
    });
  }

  /** Nobody gets another byte of it, and the next pull fetches it anew. */
  async condemn(digest: Digest, { file, size }: Shelved, found: Found): Promise<void> {
    file.bad = true;
    // Its place has been taken, or will be in a moment, by one that was verified.
    if (this.#parts.isNamed(digest, file)) await this.putAside(digest, size, found);
  }

  async putAside(digest: Digest, size: number, found: Found): Promise<void> {
    const { quarantine, report, stop, remove } = this.#parts;
    if (stop.aborted) return;
    if (!this.#bad.has(digest)) report({ kind: 'bad-blob', digest, size, found });
    this.#bad.add(digest);
    try {
      await remove(digest, size, (path) => quarantine.take(path, digest, size));
    } catch (error) {
      report({ kind: 'trouble', where: 'store', doing: 'putting a bad blob aside', error });
    }
  }

  /** Resolves when nobody looks any more; to be called when it was stopped. */
  async stopped(): Promise<void> {
    await Promise.allSettled(this.#checking.values());
  }
}
