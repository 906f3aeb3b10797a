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

export function algorithmOf(digest: Digest): Algorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

export function hexOf(digest: Digest): string {
  return digest.slice(7);
}
