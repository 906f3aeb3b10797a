// Keeps the book from growing for ever: what is of no use any more is forgotten, a few repositories at a time.
import type { BookThread } from './book-thread.ts';

/** Repositories in one go; requests of pulls are answered in between. */
const slice = 20;

/** `since`: milliseconds since 1970; older pointers and verdicts go. */
export async function tidy(book: BookThread, since: number, signal: AbortSignal): Promise<void> {
  let last: number | undefined = 0;
  // A book that fails answers undefined too, and has told so.
  while (last !== undefined && !signal.aborted) last = await book.ask('tidy', last, slice, since);
}
