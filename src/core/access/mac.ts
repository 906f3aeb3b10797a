// Message authentication: what this mirror made itself, and what it has never to keep in readable form.

/** HMAC-SHA-256 under the configuration's key: 32 bytes. Asynchronous, because WebCrypto is. */
export type Mac = (text: string) => Promise<Uint8Array> | Uint8Array;

/** In a time that does not depend on where they differ. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (const [at, byte] of one.entries()) difference |= byte ^ (other[at] ?? 0);
  return difference === 0;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Of text that is nothing but hexadecimal. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
