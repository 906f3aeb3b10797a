// Opening what lies where others may have put something else: files, and nothing that leads elsewhere or never answers.
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** `flags`: as of open(2). Throws for a link and for a pipe, which it does not wait for. */
export async function openPlain(path: string, flags: number): Promise<FileHandle> {
  const handle = await open(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error(`${path} is not a file`);
}
