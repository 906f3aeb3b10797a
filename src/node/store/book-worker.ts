// The book's own thread: SQLite is synchronous, and the event loop has bytes to send.
import { renameSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { parentPort } from 'node:worker_threads';
import { type BookOrder, type Opened, reading } from './book-start.ts';
import { UnreadableBook } from './book-file.ts';
import { BookTables } from './book-tables.ts';
import type { Answer, Request } from './book-thread.ts';
import { corrupt, ioError, resultCode, unreadable } from './sqlite.ts';

const port = parentPort;
if (port === null) throw new Error('this is the main file of a worker thread');

const [{ path, now, patient }] = (await once(port, 'message')) as [BookOrder];
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
    if (!isHopeless(error)) throw error;
    moveAside();
    return { book: new BookTables(path), bad: error };
  }
}

function isHopeless(error: unknown): boolean {
  const code = resultCode(error);
  return error instanceof UnreadableBook || unreadable.has(code) || (code === ioError && !patient);
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
    const code = resultCode(error);
    const isCorrupt = corrupt.has(code);
    if (isCorrupt || (code === ioError && last !== undefined && reading.has(last.method))) {
      // Nothing that it says can be trusted. The thread ends, and another one begins anew.
      book.abandon();
      if (isCorrupt) moveAside();
      throw error;
    }
    return [{ error, code }];
  }
}

function attempt(work: () => unknown): Answer {
  try {
    return { value: work() };
  } catch (error) {
    return { error, code: resultCode(error) };
  }
}

function perform({ method, parameters }: Request): unknown {
  const operation = book[method] as (...values: readonly unknown[]) => unknown;
  return operation.call(book, ...parameters);
}
