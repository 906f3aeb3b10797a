// Accounts of this mirror's own: a name, what is kept of its secret, and the repositories that its rules name.
import type { Repository } from '../oci/reference.ts';
import { isSame, type Mac } from './mac.ts';
import { matches, type Pattern } from './pattern.ts';
import type { Secret } from './secret.ts';

export interface Account {
  readonly name: string;
  /** Repositories that it may pull with the mirror's credentials even where they are not public. */
  readonly allow: readonly Pattern[];
}

export interface AccountEntry extends Account {
  /** `macOfSecret` of its secret. */
  readonly mac: Uint8Array;
}

export class Accounts {
  readonly #entries: readonly AccountEntry[];
  readonly #mac: Mac;

  constructor(entries: readonly AccountEntry[], mac: Mac) {
    this.#entries = entries;
    this.#mac = mac;
  }

  /** Looks at all of them, so that the time tells nothing. */
  async bySecret(secret: Secret): Promise<Account | undefined> {
    const mac = await macOfSecret(this.#mac, secret);
    let found: Account | undefined;
    for (const entry of this.#entries) found = isSame(entry.mac, mac) ? entry : found;
    return found;
  }

  byName(name: string): Account | undefined {
    return this.#entries.find((entry) => entry.name === name);
  }
}

/** What the configuration keeps in a secret's place. */
export function macOfSecret(mac: Mac, secret: Secret): Promise<Uint8Array> | Uint8Array {
  return mac(JSON.stringify(['account', secret]));
}

/** Its rules name the repository: it may have it though it is not public. */
export function isNamed(account: Account | undefined, repository: Repository): boolean {
  return account?.allow.some((pattern) => matches(pattern, repository)) === true;
}
