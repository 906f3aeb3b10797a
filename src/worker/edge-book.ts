// The book of an isolate, and behind it what others in the same data centre have written down: isolates come and go.
import type { Verdict } from '../core/access/admit.ts';
import type { Book, Pointer } from '../core/mirror/ports.ts';
import type { Descriptor } from '../core/oci/descriptor.ts';
import { type EdgeCache, kept, keyOf } from './edge-cache.ts';

export function edgeBook(near: Book, cache: EdgeCache): Book {
  /** What is near is at least as new. What is found farther away is remembered here. */
  async function find<V>(key: string, look: () => Promise<V | undefined>, remember: (found: V) => Promise<void>) {
    const known = await look();
    if (known !== undefined) return known;
    const found = await cache.record<V>(key);
    const newer = await look();
    if (newer !== undefined || found === undefined) return newer;
    await remember(found);
    return found;
  }

  /** What is withdrawn is gone before anybody looks again. */
  async function write(key: string, value: Verdict | Pointer | Descriptor | undefined): Promise<void> {
    if (value === undefined) return cache.delete(key);
    cache.put(key, () => kept(JSON.stringify(value)));
  }

  return {
    pointer: (repository, name) =>
      find<Pointer>(
        keyOf('pointer', repository, name),
        () => near.pointer(repository, name),
        (found) => near.point(repository, name, found),
      ),
    async point(repository, name, pointer) {
      await near.point(repository, name, pointer);
      await write(keyOf('pointer', repository, name), pointer);
    },
    standing: (repository, digest) =>
      find<Descriptor>(
        keyOf('standing', repository, digest),
        () => near.standing(repository, digest),
        (found) => near.link(repository, found),
      ),
    async link(repository, descriptor) {
      const known = await near.standing(repository, descriptor.digest);
      if (known?.size === descriptor.size && known.mediaType === descriptor.mediaType) return;
      await near.link(repository, descriptor);
      await write(keyOf('standing', repository, descriptor.digest), descriptor);
    },
    async disown(repository, digest) {
      await near.disown(repository, digest);
      await write(keyOf('standing', repository, digest), undefined);
    },
    verdict: (repository) =>
      find<Verdict>(
        keyOf('verdict', repository),
        () => near.verdict(repository),
        (found) => near.judge(repository, found),
      ),
    async judge(repository, verdict) {
      await near.judge(repository, verdict);
      await write(keyOf('verdict', repository), verdict);
    },
    touch() {},
  };
}
