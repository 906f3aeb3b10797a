// A book in memory, and behind it what others like it have written for each other: they come and go, and the newer word counts.
import { type Verdict, standingOf } from '../access/admit.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Repository, repositoryKey } from '../oci/reference.ts';
import { type Freshness, isFresh } from './freshness.ts';
import type { Book, Clock, Pointer } from './ports.ts';
import { Recent } from './recent.ts';

/** What somebody has written down. */
export interface Entry<V> {
  /** When; milliseconds since 1970. */
  readonly at: number;
  /** undefined: it was withdrawn then. */
  readonly value?: V | undefined;
}

/** Where others look. It may forget at any time, and its trouble is absence. */
export interface Far {
  read<V>(key: string): Promise<Entry<V> | undefined>;
  /** Behind the reply. `correct` gives what is to be written over it as soon as it is there, if anything. */
  write<V>(key: string, entry: Entry<V>, correct: () => Entry<V> | undefined): void;
  /** Resolves when others can see it, or there is no use in waiting. */
  withdraw(key: string, entry: Entry<never>): Promise<void>;
}

/** Entries of each kind. */
const most = 4096;
const keptFor = 7 * 86_400_000;

/** Values only, like everything that may be shared. */
export class Near {
  readonly pointers: Recent<Entry<Pointer>>;
  readonly standings: Recent<Entry<Descriptor>>;
  readonly verdicts: Recent<Entry<Verdict>>;

  constructor(clock: Clock) {
    this.pointers = new Recent(clock, most);
    this.standings = new Recent(clock, most);
    this.verdicts = new Recent(clock, most);
  }
}

export function sharedBook(near: Near, far: Far, clock: Clock, freshness: (registry: string) => Freshness): Book {
  /** What is near does while it is good without a question. Else others may know better, be it that it was withdrawn. */
  async function find<V>(from: Recent<Entry<V>>, key: string, isGood: (value: V) => boolean): Promise<V | undefined> {
    const known = from.get(key)?.value;
    if (known !== undefined && isGood(known)) return known;
    const found = await far.read<V>(key);
    // Something may have been written in the meantime.
    const latest = from.get(key);
    if (found === undefined || (latest !== undefined && latest.at >= found.at)) return latest?.value;
    from.set(key, found, keptFor);
    return found.value;
  }

  /** What is withdrawn is so before anybody looks again, and a write that was slower does not bring it back. */
  async function write<V>(to: Recent<Entry<V>>, key: string, value: V | undefined): Promise<void> {
    const at = clock.now();
    const entry = { at, value };
    to.set(key, entry, keptFor);
    if (value === undefined) return far.withdraw(key, { at });
    far.write(key, entry, () => {
      const latest = to.get(key);
      return latest === entry ? undefined : latest;
    });
  }

  return {
    pointer: (repository, name) =>
      find(near.pointers, keyOf('pointer', repository, name), (pointer) =>
        isFresh(pointer, clock.now(), freshness(repository.registry)),
      ),
    point: (repository, name, pointer) => write(near.pointers, keyOf('pointer', repository, name), pointer),
    standing: (repository, digest) => find(near.standings, keyOf('standing', repository, digest), () => true),
    async link(repository, descriptor) {
      const key = keyOf('standing', repository, descriptor.digest);
      const known = near.standings.get(key)?.value;
      if (known?.size === descriptor.size && known.mediaType === descriptor.mediaType) return;
      await write(near.standings, key, descriptor);
    },
    disown: (repository, digest) => write(near.standings, keyOf('standing', repository, digest), undefined),
    verdict: (repository) =>
      find(near.verdicts, keyOf('verdict', repository), (verdict) => standingOf(verdict, clock.now(), 0) === 'fresh'),
    judge: (repository, verdict) => write(near.verdicts, keyOf('verdict', repository), verdict),
    touch() {},
  };
}

function keyOf(kind: 'pointer' | 'standing' | 'verdict', repository: Repository, name = ''): string {
  return `${kind} ${repositoryKey(repository)} ${name}`;
}
