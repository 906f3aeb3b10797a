// Passwords that people have chosen for accounts of this mirror's: whether one is right, found out as seldom as can be.
import { Bounded } from '../oci/bounded.ts';
import { type Mac, toHex } from './mac.ts';

export interface PasswordEntry {
  readonly name: string;
  /** Made slowly, so that who gets hold of it cannot try many: bcrypt. */
  readonly hash: string;
}

/**
 * Whether the hash was made of that password. As slow as making it; throws UNAVAILABLE if too many wait for that already.
 * `client`: each has his turn.
 */
export type CompareHash = (password: string, hash: string, client: string) => Promise<boolean>;

/** Who shows a password. */
export interface Guess {
  /** Whose it is, for who counts. */
  readonly client: string;
  /** Whether there is an account of that name that counts where he is. */
  readonly counts: boolean;
  /** When it has to be looked at; what it returns, when that is over. May throw. */
  begin(): (failed: boolean) => void;
}

interface Look {
  readonly right: Promise<boolean>;
  /** Who waits for it, each of whom has begun. */
  readonly clients: Set<string>;
}

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
  readonly #looks = new Map<string, Look>();

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

  /** A name that nobody has, or that does not count, takes as long as one that does. */
  async isRight(name: string, password: string, guess: Guess): Promise<boolean> {
    const own = this.#hashes.get(name);
    const hash = canBe(password) ? (own ?? (await this.#substitute(name))) : undefined;
    if (hash === undefined) {
      guess.begin()(true);
      return false;
    }
    const counts = guess.counts && own !== undefined;
    // What is remembered or looked at for whom it counts, nobody else is to notice.
    const key = toHex(await this.#mac(JSON.stringify(['password', name, password, hash, counts])));
    const until = this.#right.get(key);
    if (until !== undefined && this.#now() < until) return true;
    const running = this.#looks.get(key);
    if (running?.clients.has(guess.client) === true) return (await running.right) && counts;
    const end = guess.begin();
    let isWrong = false;
    try {
      const look = running ?? this.#look(key, password, hash, guess.client);
      look.clients.add(guess.client);
      isWrong = !((await look.right) && counts);
    } finally {
      end(isWrong);
    }
    if (!isWrong) this.#right.set(key, this.#now() + rememberedFor);
    return !isWrong;
  }

  #look(key: string, password: string, hash: string, client: string): Look {
    const right = this.#compare(password, hash, client).finally(() => this.#looks.delete(key));
    const look = { right, clients: new Set<string>() };
    this.#looks.set(key, look);
    return look;
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
