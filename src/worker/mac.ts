// HMAC-SHA-256 under the configuration's key, by WebCrypto. The key is imported each time: a promise of it must not be shared.
import type { Mac } from '../core/access/mac.ts';

const hmac = { name: 'HMAC', hash: 'SHA-256' };

export function createMac(key: string): Mac {
  const bytes = new TextEncoder().encode(key);
  return async (text) => {
    const imported = await crypto.subtle.importKey('raw', bytes, hmac, false, ['sign']);
    return new Uint8Array(await crypto.subtle.sign(hmac.name, imported, new TextEncoder().encode(text)));
  };
}
