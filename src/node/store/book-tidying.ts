// What the book forgets, as SQL: a bounded number of rows at a time, so that whoever asks it something meanwhile waits for no more than those.
import { BookFile, type Row } from './book-file.ts';

/** Where a walk through the rows of all repositories has come to. */
export interface Place {
  readonly repository: number;
  readonly key: string;
}

/** Each looks at the next `count` rows behind `after`, and answers with the last of them; undefined: there are no more. */
export class BookTidying extends BookFile {
  /** Standings of what is not stored. The price is one HEAD. */
  tidyStandings(after: Place, count: number): Place | undefined {
    const last = this.#nextPlace(
      `SELECT repository, digest AS key FROM standing WHERE (repository, digest) > (?, ?)
       ORDER BY repository, digest LIMIT 1 OFFSET ?`,
      after,
      count,
    );
    this.run(
      `DELETE FROM standing WHERE (repository, digest) > (?, ?) AND (repository, digest) <= (?, ?)
       AND NOT EXISTS (SELECT 1 FROM blob WHERE blob.digest = standing.digest)`,
      ...stretch(after, last),
    );
    return last;
  }

  /** Pointers from before `since`. */
  tidyPointers(after: Place, count: number, since: number): Place | undefined {
    const last = this.#nextPlace(
      `SELECT repository, name AS key FROM pointer WHERE (repository, name) > (?, ?)
       ORDER BY repository, name LIMIT 1 OFFSET ?`,
      after,
      count,
    );
    this.run(
      `DELETE FROM pointer WHERE (repository, name) > (?, ?) AND (repository, name) <= (?, ?) AND checked_at < ?`,
      ...stretch(after, last),
      since,
    );
    return last;
  }

  /** Verdicts from before `since`, and repositories of which nothing is left. */
  tidyRepositories(after: number, count: number, since: number): number | undefined {
    const next = 'SELECT id FROM repository WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?';
    const last = (this.one(next, after, count - 1) as Row<'id'> | undefined)?.id;
    const end = last ?? Number.MAX_SAFE_INTEGER;
    this.run('DELETE FROM verdict WHERE repository > ? AND repository <= ? AND as_of < ?', after, end, since);
    this.run(
      `DELETE FROM repository WHERE id > ? AND id <= ?
       AND NOT EXISTS (SELECT 1 FROM standing WHERE repository = repository.id)
       AND NOT EXISTS (SELECT 1 FROM pointer WHERE repository = repository.id)
       AND NOT EXISTS (SELECT 1 FROM verdict WHERE repository = repository.id)`,
      after,
      end,
    );
    return last;
  }

  #nextPlace(sql: string, after: Place, count: number): Place | undefined {
    return this.one(sql, after.repository, after.key, count - 1) as Place | undefined;
  }
}

/** The end is that of the table where fewer rows are left than were to be looked at. */
function stretch(after: Place, last: Place | undefined): [number, string, number, string] {
  return [after.repository, after.key, last?.repository ?? Number.MAX_SAFE_INTEGER, last?.key ?? ''];
}
