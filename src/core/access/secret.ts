// The secrets of accounts: made by chance, never chosen, and of a form that also fits into a host name and into a path.
import { secretForm } from '../oci/redact.ts';

/** `sampan-` and 33 letters and digits: 128 bits, and a checksum that tells a mistyped one, or a password, at once. */
export type Secret = string & { readonly __secret: true };

// Crockford's: no letter that looks like a digit.
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const body = `sampan-[${alphabet}]{33}`;
const pattern = new RegExp(`^${body}$`);
const alike = new RegExp(`^${secretForm}$`, 'i');
const randomLetters = 26;
const checkLetters = 7;

/** `random`: 16 bytes that nobody can guess. */
export function createSecret(random: Uint8Array): Secret {
  if (random.length !== 16) throw new TypeError('a secret is made of 16 bytes');
  const number = random.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const letters = spell(number, randomLetters);
  const secret = parseSecret(`sampan-${letters}${spell(checksum(letters), checkLetters)}`);
  if (secret === undefined) throw new Error('a secret that was made is none');
  return secret;
}

/** Undefined for everything that `createSecret` has not made, as far as can be told without a look at the accounts. */
export function parseSecret(text: string): Secret | undefined {
  const lower = text.toLowerCase();
  return isSecret(lower) ? lower : undefined;
}

function isSecret(text: string): text is Secret {
  const letters = text.slice(-randomLetters - checkLetters, -checkLetters);
  return pattern.test(text) && text.endsWith(spell(checksum(letters), checkLetters));
}

/** Meant to be a secret, right or not: nothing else is called so. */
export function looksSecret(text: string): boolean {
  return alike.test(text);
}

function spell(number: bigint, length: number): string {
  return Array.from({ length }, (_, at) => alphabet[Number((number >> BigInt(5 * (length - 1 - at))) & 31n)]).join('');
}

/** FNV-1a: each letter that changes, changes it. */
function checksum(letters: string): bigint {
  let hash = 0x811c9dc5;
  for (const letter of letters) hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  return BigInt(hash >>> 0);
}
