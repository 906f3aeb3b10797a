// One process a data directory. SQLite knows how to lock a file on every platform so that a crash lets go of it.
import { busy, Database, resultCode } from './sqlite.ts';

/** The file stays empty. Held by the main thread, so that it lives as long as the process; throws if another has it. */
export function lockDirectory(dir: string, path: string): () => void {
  const lock = new Database(path);
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (resultCode(error) !== busy) throw error;
    throw new Error(`${dir} is in use by another sampan process; each needs a data directory of its own`, {
      cause: error,
    });
  }
  return () => lock.close();
}
