// HMAC-SHA-256 under the configuration's key.
import { createHmac } from 'node:crypto';
import type { Mac } from '../core/access/mac.ts';

export function createMac(key: string): Mac {
  return (text) => createHmac('sha256', key).update(text).digest();
}
