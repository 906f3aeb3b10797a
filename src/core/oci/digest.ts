// A digest: the name of content, and the only kind of name that becomes a file's.
import { RegistryError } from './errors.ts';

/** `sha256:` and 64, or `sha512:` and 128 lower-case hexadecimal digits. Parsed once, compared with `===`. */
export type Digest = string & { readonly __digest: true };
export type Algorithm = 'sha256' | 'sha512';

const pattern = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

export function isDigest(text: string): text is Digest {
  return pattern.test(text);
}

/** Throws DIGEST_INVALID (400) for anything but a whole sha256 or sha512 digest. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  throw new RegistryError(
    'DIGEST_INVALID',
    'a digest is sha256: and 64, or sha512: and 128 lower-case hexadecimal digits',
  );
}

const nothing: Readonly<Record<Algorithm, string>> = {
  sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  sha512:
    'cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
};

/** It names no bytes at all, so that an empty answer is the right one. */
export function isOfNothing(digest: Digest): boolean {
  return hexOf(digest) === nothing[algorithmOf(digest)];
}

export function algorithmOf(digest: Digest): Algorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

export function hexOf(digest: Digest): string {
  return digest.slice(7);
}
