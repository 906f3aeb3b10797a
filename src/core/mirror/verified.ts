// A stream that never ends well with wrong bytes: for what goes past the store.
import { type Digest, algorithmOf, hexOf } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import type { NewHasher } from './ports.ts';
import type { ByteStream } from './reply.ts';

/**
 * The bytes of `stream` from `offset` on. `stream` starts at 0. The last chunk is held back until the digest is known to match;
 * else this throws, as it does if the stream ends before or goes beyond `size`, and `blame` is called before.
 */
export async function* verified(
  stream: ByteStream,
  digest: Digest,
  newHasher: NewHasher,
  offset: number,
  size: number | undefined,
  blame: () => void,
): ByteStream {
  const hasher = newHasher(algorithmOf(digest));
  let position = 0;
  let held: Uint8Array | undefined;
  for await (const chunk of stream) {
    if (chunk.length === 0) continue;
    if (size !== undefined && position + chunk.length > size) throw mismatch(blame);
    if (held !== undefined && held.length > 0) yield held;
    hasher.update(chunk);
    const rest = chunk.subarray(Math.min(chunk.length, Math.max(0, offset - position)));
    position += chunk.length;
    const last = size === undefined || position === size;
    // A copy, because the next chunk may use the same memory again.
    held = last ? rest.slice() : undefined;
    if (!last && rest.length > 0) yield rest;
  }
  if ((size !== undefined && position !== size) || hasher.hex() !== hexOf(digest)) throw mismatch(blame);
  if (held !== undefined && held.length > 0) yield held;
}

function mismatch(blame: () => void): RegistryError {
  blame();
  return new RegistryError('UNAVAILABLE', 'the upstream sent bytes that do not match their digest', { status: 502 });
}

/** `length` bytes of `stream` after the first `skip`. Throws if it ends before. */
export async function* part(stream: ByteStream, skip: number, length: number): ByteStream {
  let position = -skip;
  for await (const chunk of stream) {
    const piece = chunk.subarray(Math.max(0, -position), Math.max(0, length - position));
    position += chunk.length;
    if (piece.length > 0) yield piece;
    if (position >= length) return;
  }
  throw new RegistryError('UNAVAILABLE', 'the upstream broke off', { status: 502 });
}
