// What a fill that broke off leaves behind, made by hand; and an upstream that breaks off for good.
import { mkdir, open, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Source } from '../../../src/core/mirror/ports.ts';
import { type Digest, hexOf } from '../../../src/core/oci/digest.ts';
import { Unreachable } from '../../../src/core/oci/errors.ts';
import { Journal } from '../../../src/node/store/journal.ts';
import { journalOf } from '../../../src/node/store/layout.ts';
import { digestOf } from '../../conformance/blob-store.ts';

export const MiB = 1024 * 1024;
const chunk = 64 * 1024;
const uuid = '01234567-89ab-4cde-8f01-23456789abcd';

type Piece = readonly [start: number, end: number];

/** Bytes of a blob that an earlier process had written. `told`: what it believed of it, if that is not so. */
export async function plant(
  dir: string,
  bytes: Buffer,
  pieces: readonly Piece[],
  told: { readonly size?: number; readonly digest?: Digest } = {},
): Promise<string> {
  const { size = bytes.length, digest = digestOf(bytes) } = told;
  const incoming = join(dir, 'incoming');
  await mkdir(incoming, { recursive: true });
  const path = join(incoming, `${hexOf(digest)}.${uuid}.part`);
  const failed = (error: unknown) => {
    throw error;
  };
  const lanes = pieces.length;
  const journal = new Journal({ path: journalOf(path), digest, size, origin: '*', lanes, failed });
  const file = await open(path, 'w');
  for (const [start, end] of pieces) {
    await file.write(bytes, start, end - start, start);
    for (let at = start; at < end; at += chunk) journal.note(bytes.subarray(at, Math.min(end, at + chunk)), at);
  }
  await file.close();
  await journal.end();
  return path;
}

/** Writes something else where a piece was, behind the journal's back. */
export async function spoil(path: string, [start, end]: Piece, what = 0): Promise<void> {
  const file = await open(path, 'r+');
  await file.write(Buffer.alloc(end - start, what), 0, end - start, start);
  await file.close();
}

export async function incomingIn(dir: string): Promise<string[]> {
  return (await readdir(join(dir, 'incoming'))).toSorted();
}

/** Of our own, and of no use to anybody. */
export async function litter(dir: string): Promise<void> {
  await mkdir(join(dir, 'incoming'), { recursive: true });
  for (const [index, end] of ['part', 'journal'].entries()) {
    await writeFile(join(dir, 'incoming', `${String(index).repeat(64)}.${uuid}.${end}`), 'half');
  }
}

/** An upstream that is gone for good when it has sent so many bytes over all its connections. */
export class Fading {
  readonly asked: { readonly from: number; readonly end: number | undefined }[] = [];
  sent = 0;
  readonly #bytes: Uint8Array;
  readonly #most: number;

  constructor(bytes: Uint8Array, most = Infinity) {
    this.#bytes = bytes;
    this.#most = most;
  }

  readonly source: Source = (from, signal, end) => {
    this.asked.push({ from, end });
    if (this.sent >= this.#most) return Promise.reject(new Unreachable('gone', undefined));
    return Promise.resolve({ offset: from, size: this.#bytes.length, stream: this.#stream(from, end, signal) });
  };

  async *#stream(from: number, end = this.#bytes.length, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
    for (let at = from; at < end;) {
      signal.throwIfAborted();
      const length = Math.min(chunk, end - at, this.#most - this.sent);
      if (length <= 0) throw new Unreachable('gone', undefined);
      this.sent += length;
      // As a real one may: the chunk is only lent.
      const lent = Uint8Array.from(this.#bytes.subarray(at, at + length));
      yield await Promise.resolve(lent);
      lent.fill(0xee);
      at += length;
    }
  }
}
