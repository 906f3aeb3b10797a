// A file as a store hands it out, that tells how often it was closed.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { HeldFile } from '../../../src/core/mirror/reply.ts';

/** Bytes that tell where they are from, and of which file. */
export function pattern(length: number, file = 0): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index += 1) bytes[index] = index * 7 + (index >> 8) + (index >> 16) * 31 + file;
  return bytes;
}

export interface Held {
  readonly file: HeldFile;
  readonly path: string;
  readonly closings: number;
  /** Resolves when it is closed. */
  readonly closed: Promise<void>;
}

export function hold(context: TestContext, content: Uint8Array): Held {
  const path = put(context, content);
  return holdAt(path, content.length);
}

/** The path of a file with that content. */
export function put(context: TestContext, content: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'sampan-send-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'blob');
  writeFileSync(path, content);
  return path;
}

export function holdAt(path: string, size: number): Held {
  const descriptor = openSync(path, 'r');
  const closed = Promise.withResolvers<void>();
  let closings = 0;
  const close = (): void => {
    closings += 1;
    closeSync(descriptor);
    closed.resolve();
  };
  return {
    file: { descriptor, size, close },
    path,
    closed: closed.promise,
    get closings() {
      return closings;
    },
  };
}
