// Writes a file of which nobody ever sees a part, whatever comes in between.
import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fchownSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

export interface Rights {
  readonly mode: number;
}

export interface Ownership extends Rights {
  readonly uid: number;
  readonly gid: number;
}

/** What was there, a link too, is replaced as a whole or not at all. Without an owner, it is whoever runs this. */
export function writeWhole(path: string, text: string, as: Rights | Ownership): void {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(file, text);
    if ('uid' in as) fchownSync(file, as.uid, as.gid);
    fchmodSync(file, as.mode);
    fsyncSync(file);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}
