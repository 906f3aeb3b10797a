// Where everything lies in the data directory, and making it ready.
import { access, constants, mkdir, open, opendir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Algorithm, algorithmOf, type Digest, hexOf } from '../../core/oci/digest.ts';

const format = 'sampan 1\n';
const onlyUs = 0o700;

export class Layout {
  readonly dir: string;
  readonly blobs: string;
  readonly incoming: string;
  readonly quarantine: string;
  readonly book: string;
  readonly lock: string;

  constructor(dir: string) {
    this.dir = resolve(dir);
    this.blobs = join(this.dir, 'blobs');
    this.incoming = join(this.dir, 'incoming');
    this.quarantine = join(this.dir, 'quarantine');
    this.book = join(this.dir, 'book.sqlite');
    this.lock = join(this.dir, 'lock');
  }

  /** `blobs/sha256/ab` */
  shard(algorithm: Algorithm, prefix: string): string {
    return join(this.blobs, algorithm, prefix);
  }

  shardOf(digest: Digest): string {
    return this.shard(algorithmOf(digest), hexOf(digest).slice(0, 2));
  }

  blob(digest: Digest): string {
    return join(this.shardOf(digest), hexOf(digest));
  }

  /** `name`: unique among all fills, also those of earlier processes. */
  part(name: string): string {
    return join(this.incoming, `${name}.part`);
  }
}

/** Whether a file of that name is a part or its journal; anything else that lies there is not ours and stays. */
export function isIncoming(name: string): boolean {
  return /^[0-9a-f]{64,128}\.[0-9a-f-]{36}\.(part|journal)$/.test(name);
}

/** Beside a part: what has been written to it. */
export function journalOf(part: string): string {
  return part.replace(/\.part$/, '.journal');
}

/** The one directory that has to be there before the lock can be taken. Throws the system's error, with the path. */
export async function makeDataDirectory({ dir }: Layout): Promise<void> {
  await makeWithParents(dir);
  await (await opendir(dir)).close();
  // SQLite, which comes next, would only say that it cannot open a file.
  await access(dir, constants.W_OK | constants.X_OK);
}

/**
 * Not Node's `recursive`, which never ends below /proc, and calls a read-only disk a missing directory. Answers the topmost one that
 * it made, if any.
 */
async function makeWithParents(dir: string): Promise<string | undefined> {
  try {
    await mkdir(dir, { mode: onlyUs });
    return dir;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return undefined;
    if (!isMissing(error) || dirname(dir) === dir) throw error;
    const first = await makeWithParents(dirname(dir));
    await mkdir(dir, { mode: onlyUs }).catch((again: unknown) => {
      if (!isCode(again, 'EEXIST')) throw again;
    });
    return first ?? dir;
  }
}

/** Only for whoever holds the lock. Tells whether there may be blobs already. Throws if a later sampan has written here. */
export async function prepare(layout: Layout): Promise<{ fresh: boolean }> {
  await checkFormat(layout);
  await mkdir(layout.incoming, { recursive: true, mode: onlyUs });
  const created = await mkdir(layout.blobs, { recursive: true, mode: onlyUs });
  return { fresh: created !== undefined };
}

async function checkFormat(layout: Layout): Promise<void> {
  const marker = join(layout.dir, 'format');
  const found = await readFile(marker, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return '';
    throw error;
  });
  // Empty: a crash came between the file and its content.
  if (found === '') await writeFile(marker, format, { mode: 0o600 });
  else if (found !== format) {
    throw new Error(`${layout.dir} is in another format than this sampan's: ${JSON.stringify(found.slice(0, 40))}`);
  }
}

/** Makes a shard's directory and all above it, and makes that durable. */
export async function makeShard(path: string): Promise<void> {
  const first = await makeWithParents(path);
  if (first === undefined) return;
  // Each new directory is durable when the one above it is.
  for (let dir = path; dir.length >= first.length; dir = dirname(dir)) await syncDirectory(dirname(dir));
}

/** A rename is durable only when its directory is. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export function isMissing(error: unknown): boolean {
  return isCode(error, 'ENOENT');
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
