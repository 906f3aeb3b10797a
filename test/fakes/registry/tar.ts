// Layers that a runtime can unpack: a minimal tar writer, and gzip over it.
import { gzipSync } from 'node:zlib';
import { bytesOf, digestOf } from './bytes.ts';
import { blobOf, type Layer } from './content.ts';

const block = 512;

/** Regular files, by their path. No dates, so that the same files give the same digest. */
export function tar(files: Readonly<Record<string, Uint8Array>>): Buffer {
  const parts: Uint8Array[] = [];
  for (const [path, bytes] of Object.entries(files)) {
    parts.push(header(path, bytes.length), bytes, Buffer.alloc(-bytes.length & (block - 1)));
  }
  return Buffer.concat([...parts, Buffer.alloc(2 * block)]);
}

export function tarLayer(files: Readonly<Record<string, Uint8Array>>): Layer {
  const plain = tar(files);
  return { ...blobOf(gzipSync(plain, { level: 1 })), diffId: digestOf(bytesOf(plain)), compressed: true };
}

/** POSIX.1-1988 ustar. The checksum is taken with its own field blank. */
function header(path: string, size: number): Buffer {
  const head = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number) =>
    head.write(value.toString(8).padStart(length - 1, '0'), at);
  head.write(path, 0, 100);
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  head.write('        0', 148);
  head.write('ustar\x0000', 257);
  octal(
    head.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  head[154] = 0;
  return head;
}
