// Bytes that look random and are the same every time: from a seed, of any length, readable at any offset without holding them all.
import { createHash } from 'node:crypto';

const blockLength = 1 << 20;

/** A small, fast generator of 32-bit numbers (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

export function randomBytes(seed: number, length: number): Buffer {
  const next = numbers(seed);
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let i = 0; i < words.length; i++) words[i] = next();
  return Buffer.from(words.buffer, 0, length);
}

/** Content that can be read in parts. `read` returns at most `length` bytes, and at least one before the end. */
export interface Bytes {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

export function bytesOf(bytes: Uint8Array): Bytes {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** As much as is asked for out of one megabyte of memory. Every block starts with its number, so that no two are alike. */
export function generated(seed: number, size: number): Bytes {
  const block = randomBytes(seed, blockLength);
  return {
    size,
    read(offset, length) {
      const number = Math.floor(offset / blockLength);
      const start = offset % blockLength;
      const end = Math.min(blockLength, start + length, size - number * blockLength);
      if (start >= 8) return block.subarray(start, end);
      const own = Buffer.from(block.subarray(0, end));
      own.writeBigUInt64LE(BigInt(number));
      return own.subarray(start);
    },
  };
}

export function digestOf(bytes: Bytes, algorithm: 'sha256' | 'sha512' = 'sha256'): string {
  const hash = createHash(algorithm);
  for (let offset = 0; offset < bytes.size;) {
    const chunk = bytes.read(offset, blockLength);
    hash.update(chunk);
    offset += chunk.length;
  }
  return `${algorithm}:${hash.digest('hex')}`;
}
