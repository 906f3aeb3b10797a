// A book for as long as the process: what is forgotten is learned again. Values only, like everything that may be shared.
import type { Verdict } from '../access/admit.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { repositoryKey } from '../oci/reference.ts';
import type { Book, Clock, Pointer } from './ports.ts';
import { Recent } from './recent.ts';

/** Entries of each kind. */
const most = 4096;
const keptFor = 7 * 86_400_000;

export function memoryBook(clock: Clock): Book {
  const pointers = new Recent<Pointer>(clock, most);
  const standings = new Recent<Descriptor>(clock, most);
  const verdicts = new Recent<Verdict>(clock, most);
  return {
    pointer: async (repository, name) => pointers.get(`${repositoryKey(repository)} ${name}`),
    point: async (repository, name, pointer) => set(pointers, `${repositoryKey(repository)} ${name}`, pointer),
    standing: async (repository, digest) => standings.get(`${repositoryKey(repository)} ${digest}`),
    link: async (repository, descriptor) =>
      set(standings, `${repositoryKey(repository)} ${descriptor.digest}`, descriptor),
    disown: async (repository, digest) => set(standings, `${repositoryKey(repository)} ${digest}`, undefined),
    verdict: async (repository) => verdicts.get(repositoryKey(repository)),
    judge: async (repository, verdict) => set(verdicts, repositoryKey(repository), verdict),
    touch() {},
  };
}

function set<V>(recent: Recent<V>, key: string, value: V | undefined): void {
  if (value === undefined) recent.delete(key);
  else recent.set(key, value, keptFor);
}
