// Starting the book's thread, and what the two tell each other then.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { BookTables } from './book-tables.ts';

/** What fails to read has lost its file; what fails to write may be able to again. */
export const reading: ReadonlySet<keyof BookTables> = new Set([
  'pointer',
  'standing',
  'verdict',
  'sizeOf',
  'oldest',
  'leastChecked',
  'beginning',
] as const);

export interface BookOrder {
  readonly path: string;
  /** Milliseconds since 1970: a book that cannot be read is put aside under this name. */
  readonly now: number;
  /** The disk may be what is wrong, and that may pass: a book is put aside only for what is wrong with itself. */
  readonly patient: boolean;
}

/** The thread's first message. `bad`: why the book that was there had to be put aside. */
export interface Opened {
  readonly bytes: number;
  readonly blobs: number;
  readonly clean: boolean;
  readonly bad: unknown;
}

/** A thread that waits to be told which book it has: until then it loads what it takes. */
export function prepareBook(): Worker {
  return new Worker(new URL('./book-worker.ts', import.meta.url), {
    // Its garbage is small and short-lived; by default it would be let grow as the main thread's is.
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
}

/** Rejects, when the thread has ended, if there is no book and none can be made. */
export async function startBook(
  order: BookOrder,
  worker: Worker = prepareBook(),
): Promise<{ worker: Worker; opened: Opened }> {
  worker.postMessage(order, []);
  const exited = new Promise((resolve) => worker.once('exit', resolve));
  try {
    // Rejects with what the thread throws.
    const [opened] = (await once(worker, 'message')) as [Opened];
    return { worker, opened };
  } catch (error) {
    await exited;
    throw error;
  }
}
