// Passwords that people have chosen for accounts of this mirror's: whether one is right, found out as seldom as can be.
import { Bounded } from '../oci/bounded.ts';
import { type Mac, toHex } from './mac.ts';

export interface PasswordEntry {
  readonly name: string;
  /** Made slowly, so that who gets hold of it cannot try many: bcrypt. */
  readonly hash: string;
}

/** Whether the hash was made of that password. As slow as making it; throws UNAVAILABLE if too many wait for that already. */
export type CompareHash = (password: string, hash: string) => Promise<boolean>;

/** Milliseconds for which a right one need not be looked at again. */
const rememberedFor = 60_000;
const mostRemembered = 10_000;
/** Bytes. Of a longer one bcrypt looks at no more, so that whatever follows would be right. */
const longest = 72;

export class Passwords {
  readonly #hashes: ReadonlyMap<string, string>;
  readonly #all: readonly PasswordEntry[];
  readonly #mac: Mac;
  readonly #compare: CompareHash;
  readonly #now: () => number;
  /** Until when, in milliseconds since 1970; by the MAC of name, password and hash. */
  readonly #right = new Bounded<number>(mostRemembered);
  /** By the same: a client comes for several layers at once. */
  readonly #running = new Map<string, Promise<boolean>>();

  constructor(entries: readonly PasswordEntry[], mac: Mac, compare: CompareHash, now: () => number) {
    this.#hashes = new Map(entries.map(({ name, hash }) => [name, hash]));
    this.#all = entries;
    this.#mac = mac;
    this.#compare = compare;
    this.#now = now;
  }

  has(name: string): boolean {
    return this.#hashes.has(name);
  }

  /** A name that nobody has takes as long as one that somebody has. */
  async isRight(name: string, password: string): Promise<boolean> {
    if (!canBe(password)) return false;
    const hash = this.#hashes.get(name);
    const compared = hash ?? (await this.#substitute(name));
    if (compared === undefined) return false;
    const key = toHex(await this.#mac(JSON.stringify(['password', name, password, compared])));
    const until = this.#right.get(key);
    if (until !== undefined && this.#now() < until) return true;
    const right = (await this.#compareOnce(key, password, compared)) && hash !== undefined;
    if (right) this.#right.set(key, this.#now() + rememberedFor);
    return right;
  }

  #compareOnce(key: string, password: string, hash: string): Promise<boolean> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const comparing = this.#compare(password, hash).finally(() => this.#running.delete(key));
    this.#running.set(key, comparing);
    return comparing;
  }

  /** Somebody's, always the same one's for that name: they need not all cost the same. */
  async #substitute(name: string): Promise<string | undefined> {
    const [a = 0, b = 0, c = 0] = await this.#mac(JSON.stringify(['nobody', name]));
    return this.#all[((a << 16) | (b << 8) | c) % this.#all.length]?.hash;
  }
}

/** Without control characters, which none has (RFC 7617, section 2): of what follows a NUL, others know nothing. */
function canBe(password: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return !/[\0-\x1f\x7f]/.test(password) && new TextEncoder().encode(password).length <= longest;
}
