// Keeps the book from growing for ever: what is of no use any more is forgotten, some rows at a time.
import type { BookThread } from './book-thread.ts';

/** Rows in one go, a few milliseconds' worth; requests of pulls are answered in between. */
const slice = 500;

const start = { repository: 0, key: '' };

/** `since`: milliseconds since 1970; older pointers and verdicts go. */
export async function tidy(book: BookThread, since: number, signal: AbortSignal): Promise<void> {
  async function walk<Place>(first: Place, next: (after: Place) => Promise<Place | undefined>): Promise<void> {
    let last: Place | undefined = first;
    // A book that fails answers undefined too, and has told so.
    while (last !== undefined && !signal.aborted) last = await next(last);
  }
  await walk(start, (after) => book.ask('tidyStandings', after, slice));
  await walk(start, (after) => book.ask('tidyPointers', after, slice, since));
  // Last: only then is known of which nothing is left.
  await walk(0, (after) => book.ask('tidyRepositories', after, slice, since));
}
