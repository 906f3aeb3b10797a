// The files of a machine, or of one that lies below a directory: read, written whole or not at all, and taken away again.
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { Refusal } from '../../core/clients/plan.ts';
import { type Ownership, type Rights, writeWhole } from '../whole-file.ts';

/** A file, with what it is besides its text. */
export interface Kept extends Ownership {
  readonly text: string;
}

/** Of what people write, in bytes. */
export const largest = 2 ** 20;

export class Disk {
  readonly root: string;

  /** Paths are told from `root`, which is there. */
  constructor(root: string) {
    this.root = realpathSync(root);
  }

  get isWholeMachine(): boolean {
    return this.root === '/';
  }

  /** As people here would call it. */
  shown(path: string): string {
    return join(this.root, path);
  }

  /** Throws Refusal for what is not a text, or is larger than `most` bytes. */
  read(path: string, most = largest): string | undefined {
    return this.keep(path, most)?.text;
  }

  keep(path: string, most = largest): Kept | undefined {
    const real = this.#real(path);
    const found = ifThere(() => statSync(real));
    if (found === undefined) return undefined;
    if (!found.isFile()) throw new Refusal(`${this.shown(path)} is not a file`);
    if (found.size > most) throw new Refusal(`${this.shown(path)} is larger than 1 MiB`);
    const bytes = readFileSync(real);
    try {
      const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
      return { text, mode: found.mode & 0o7777, uid: found.uid, gid: found.gid };
    } catch {
      throw new Refusal(`${this.shown(path)} is not UTF-8 text`);
    }
  }

  list(directory: string): readonly string[] {
    return ifThere(() => readdirSync(this.#real(directory)))?.toSorted() ?? [];
  }

  has(path: string): boolean {
    return ifThere(() => statSync(this.#real(path))) !== undefined;
  }

  /** The new text is there whole or not at all. Who owned the file and might read it stays so. Returns the folders that had to be made. */
  write(path: string, text: string, as: Rights | Ownership): readonly string[] {
    const real = this.#real(path);
    const made = this.#makeFolders(dirname(path));
    writeWhole(real, text, as);
    return made;
  }

  remove(path: string): void {
    rmSync(this.#real(path), { force: true });
  }

  /** Unless something is in it. */
  removeFolder(path: string): void {
    try {
      rmdirSync(this.#real(path));
    } catch (error) {
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error;
    }
  }

  #makeFolders(path: string): string[] {
    if (path === '/' || this.has(path)) return [];
    const above = this.#makeFolders(dirname(path));
    const real = this.#real(path);
    mkdirSync(real);
    // Whatever the umask: other users' clients read them too.
    chmodSync(real, 0o755);
    return [...above, path];
  }

  /**
   * Links are followed, so that they stay; one that leads out of the root would change another machine's file, and one that
   * leads nowhere would be replaced: what it leads to may come yet.
   */
  #real(path: string): string {
    const wanted = join(this.root, path);
    const missing: string[] = [];
    let there = wanted;
    let real = ifThere(() => realpathSync(there));
    while (real === undefined) {
      if (isLink(there)) throw new Refusal(`${there} is a link to what is not there; put that right first`);
      missing.unshift(basename(there));
      there = dirname(there);
      real = ifThere(() => realpathSync(there));
    }
    const found = join(real, ...missing);
    if (relative(this.root, found).startsWith('..')) {
      throw new Refusal(`${wanted} is a link that leads out of ${this.root}, to ${found}`);
    }
    return found;
  }
}

function isLink(path: string): boolean {
  return ifThere(() => lstatSync(path))?.isSymbolicLink() === true;
}

function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
