// `sampan account add`: makes an account's secret, which nobody sees again, and the lines that let it in.
import { randomBytes } from 'node:crypto';
import { macOfSecret } from '../../core/access/accounts.ts';
import { toHex } from '../../core/access/mac.ts';
import { createSecret } from '../../core/access/secret.ts';
import { accountName } from '../../config/accounts.ts';
import { readConfig } from '../config/config.ts';
import { ConfigError } from '../../config/problem.ts';
import { createMac } from '../mac.ts';

/** Resolves with the exit code: 0, or 2 if the configuration is wrong. */
export async function addAccount(name: string, flags: { readonly config?: string }): Promise<number> {
  let key: string | undefined;
  try {
    ({ key } = await readConfig({ flags, environment: process.env, directory: process.cwd() }));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return complain(error.message);
  }
  if (!accountName.safeParse(name).success) {
    return complain("an account's name has up to 64 lower-case letters, digits, dots, underscores and hyphens");
  }
  if (key === undefined) {
    const fresh = randomBytes(32).toString('base64');
    return complain(
      `accounts need a key; add this line to the configuration, and keep it as you keep passwords:\n\nkey: ${fresh}`,
    );
  }
  const secret = createSecret(randomBytes(16));
  const mac = toHex(await macOfSecret(createMac(key), secret));
  process.stdout.write(`The secret of ${name}, for docker login and the like; it is not shown again:

  ${secret}

Add these lines to the configuration, and start sampan anew:

accounts:
  ${name}:
    mac: hmac-sha256:${mac}
`);
  return 0;
}

function complain(message: string): number {
  process.stderr.write(`sampan: ${message.trimEnd()}\n`);
  return 2;
}
