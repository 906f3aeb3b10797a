// Requests with logins, for the measurement of the Worker: with an account of a hundred, and with a registry's own token in our seal.
import { macOfSecret } from '../../src/core/access/accounts.ts';
import { toHex } from '../../src/core/access/mac.ts';
import { seal } from '../../src/core/access/seal.ts';
import { createSecret } from '../../src/core/access/secret.ts';
import { basic } from '../../src/core/oci/login.ts';
import { createMac } from '../../src/node/mac.ts';
import type { Kind } from './kind.ts';
import { blobDigest } from './upstream.ts';

const key = 'the key of the measurement, 32 characters';
const mac = createMac(key);
const secret = createSecret(new Uint8Array(16).fill(1));
const others = Array.from({ length: 99 }, (_, at) => [`a${at}`, { mac: kept(at.toString(16).padStart(64, '0')) }]);

const blobAt = (registry: string) => (at: number) => `/v2/stat/r${at}/blobs/${blobDigest(1000)}?ns=${registry}`;
const ping = () => '/own.example/v2/';
const token = () => '/token?service=own.example&scope=repository:library/once:pull';

/** Of the Worker, for two registries at `endpoint`. */
export async function settingsAt(endpoint: string) {
  return {
    access: 'open',
    key,
    accounts: { ...Object.fromEntries(others), alice: { mac: kept(toHex(await macOfSecret(mac, secret))) } },
    registries: {
      'account.example': { endpoints: [endpoint], login: 'account' },
      'own.example': { endpoints: [endpoint], login: 'own' },
    },
  };
}

/** `grantor`: that endpoint, which has granted the token. */
export async function kindsWithLogins(grantor: string): Promise<readonly Kind[]> {
  const account = { authorization: basic('alice', secret) };
  const login = { authorization: basic('somebody', 'password') };
  // As long as Docker Hub's.
  const pass = { kind: 'authorization', authorization: `Bearer ${'t'.repeat(2000)}`, grantor } as const;
  const own = { authorization: `Bearer ${await seal(mac, 'own.example', pass, Date.now() + 3_600_000)}` };
  return [
    { name: 'ping without a login: a challenge', target: ping },
    { name: 'ping with an account', target: () => '/account.example/v2/', headers: account },
    { name: 'HEAD of a blob with an account', method: 'HEAD', target: blobAt('account.example'), headers: account },
    { name: 'token: a login, relayed', target: token, headers: login },
    { name: 'ping with such a token', target: ping, headers: own },
    { name: 'HEAD of a blob with such a token', method: 'HEAD', target: blobAt('own.example'), headers: own },
  ];
}

function kept(hex: string): string {
  return `hmac-sha256:${hex}`;
}
