// Accounts of this mirror's own: a name, what is kept of its secret, and the repositories that its rules name.
import type { Repository } from '../oci/reference.ts';
import { isSame, type Mac, toHex } from './mac.ts';
import { contains, type Network } from './networks.ts';
import { matches, type Pattern } from './pattern.ts';
import type { Secret } from './secret.ts';

export interface Account {
  readonly name: string;
  /** Repositories that it may pull with the mirror's credentials even where they are not public. */
  readonly allow: readonly Pattern[];
  /** From where it counts. Undefined: from everywhere. */
  readonly networks?: readonly Network[] | undefined;
  /** It may see the pages that tell names and habits. */
  readonly admin?: boolean;
}

export interface AccountEntry extends Account {
  /** `macOfSecret` of its secret. Undefined: it has a password instead. */
  readonly mac?: Uint8Array | undefined;
  /** Of its password. */
  readonly hash?: string | undefined;
}

export class Accounts {
  readonly #entries: readonly AccountEntry[];
  readonly #mac: Mac;

  constructor(entries: readonly AccountEntry[], mac: Mac) {
    this.#entries = entries;
    this.#mac = mac;
  }

  get areAny(): boolean {
    return this.#entries.length > 0;
  }

  /** Looks at all of them, so that the time tells nothing. */
  async bySecret(secret: Secret, address: string): Promise<Account | undefined> {
    const mac = await macOfSecret(this.#mac, secret);
    let found: Account | undefined;
    for (const entry of this.#entries) found = entry.mac !== undefined && isSame(entry.mac, mac) ? entry : found;
    return counting(found, address);
  }

  byName(name: string, address: string): Account | undefined {
    return counting(
      this.#entries.find((entry) => entry.name === name),
      address,
    );
  }

  /** What is kept of its secret and its password: its tokens are good for as long as that is the same. Undefined if there is none of that name. */
  keptOf(name: string): string | undefined {
    const entry = this.#entries.find((each) => each.name === name);
    return entry && `${toHex(entry.mac ?? new Uint8Array())} ${entry.hash ?? ''}`;
  }
}

/** From elsewhere it is as if there were none. */
function counting(account: Account | undefined, address: string): Account | undefined {
  const { networks } = account ?? {};
  return networks === undefined || networks.some((network) => contains(network, address)) ? account : undefined;
}

/** What the configuration keeps in a secret's place. */
export function macOfSecret(mac: Mac, secret: Secret): Promise<Uint8Array> | Uint8Array {
  return mac(JSON.stringify(['account', secret]));
}

/** Its rules name the repository: it may have it though it is not public. */
export function isNamed(account: Account | undefined, repository: Repository): boolean {
  return account?.allow.some((pattern) => matches(pattern, repository)) === true;
}
