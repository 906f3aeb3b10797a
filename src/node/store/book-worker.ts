// The book's own thread: SQLite is synchronous, and the event loop has bytes to send.
import { renameSync, rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { BookTables, UnreadableBook } from './book-tables.ts';
import type { Answer, Opened, Request } from './book-thread.ts';
import { corrupt, resultCode, unreadable } from './sqlite.ts';

const { path, now } = workerData as { path: string; now: number };
const port = parentPort;
if (port === null) throw new Error('this is the main file of a worker thread');

const { book, bad } = open();
port.postMessage({ ...book.found, bad } satisfies Opened);

port.on('message', (batch: readonly Request[]) => {
  port.postMessage(answer(batch));
  if (batch.some(({ method }) => method === 'close')) port.close();
});

/** A book that cannot be read is put aside for whoever wants to look at it, and a new one is begun. */
function open(): { book: BookTables; bad: unknown } {
  try {
    return { book: new BookTables(path), bad: undefined };
  } catch (error) {
    if (!(error instanceof UnreadableBook) && !unreadable.has(resultCode(error))) throw error;
    moveAside();
    return { book: new BookTables(path), bad: error };
  }
}

function moveAside(): void {
  renameSync(path, `${path}.bad-${now}`);
  // Part of the old one; a new book must not find them.
  for (const suffix of ['-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true });
}

/** All in one transaction. If that fails each has one of its own, so that a bad request harms only itself. */
function answer(batch: readonly Request[]): Answer[] {
  const last = batch.at(-1);
  if (last?.method === 'close') return [...answer(batch.slice(0, -1)), attempt(() => perform(last))];
  try {
    return book.transact(() => batch.map((request) => ({ value: perform(request) })));
  } catch (error) {
    if (batch.length > 1) return batch.flatMap((request) => answer([request]));
    if (corrupt.has(resultCode(error))) {
      // Nothing that it says can be trusted. The thread ends, and the next start begins a new book.
      moveAside();
      throw error;
    }
    return [{ error }];
  }
}

function attempt(work: () => unknown): Answer {
  try {
    return { value: work() };
  } catch (error) {
    return { error };
  }
}

function perform({ method, parameters }: Request): unknown {
  const operation = book[method] as (...values: readonly unknown[]) => unknown;
  return operation.call(book, ...parameters);
}
