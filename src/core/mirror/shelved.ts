// Blobs on the shelves of a mirror that looks at no bytes: to whom they may be shown, and how they get there.
import { standingOf } from '../access/admit.ts';
import { anonymous } from '../access/caller.ts';
import { isNotModified, isRangeWanted } from '../oci/conditional.ts';
import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import { isManifestType } from '../oci/manifest.ts';
import type { BlobPull } from '../oci/pull.ts';
import { isEmptyRange, resolveRange } from '../oci/range.ts';
import { type Repository, repositoryKey } from '../oci/reference.ts';
import { unknownBlob } from '../oci/unknown.ts';
import { laidByFor } from './freshness.ts';
import type { Parts } from './parts.ts';
import type { Content } from './ports.ts';
import { blobHead, blobReply, notModified } from './replies.ts';
import { type Reply, discard } from './reply.ts';

interface Admission {
  /** Bytes, by what the upstream told last. */
  readonly size: number | undefined;
  /** Why nobody could be asked. */
  readonly trouble?: RegistryError;
}

export class Shelved {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** undefined: it lies on none, or whether it may be shown is for the upstream's answer to this very pull to say. */
  async reply(pull: BlobPull): Promise<Reply | undefined> {
    const { repository, digest, conditions } = pull;
    const admission = await this.#admit(repository, digest);
    if (admission === undefined) return undefined;
    const { trouble } = admission;
    const outcome = trouble === undefined ? 'hit' : 'stale';
    if (isNotModified(conditions, digest)) return notModified(digest, outcome);
    const range = isRangeWanted(conditions, digest) ? pull.range : undefined;
    if (pull.head || (range !== undefined && isEmptyRange(range))) {
      const size = await this.#stat(repository, digest, admission.size);
      if (size === undefined) return undefined;
      if (pull.head) return blobHead(digest, size, outcome, trouble);
      if (range !== undefined) resolveRange(range, size);
    }
    const content = await this.#open({ ...pull, range }, admission.size);
    return content && blobReply(digest, content, outcome, trouble);
  }

  /**
   * An upstream has just sent it to nobody in particular. What is kept is fetched anew, from an endpoint and for everybody to
   * have: so neither a third party's bytes get here, nor what is private, and a slow client holds up nothing. True if it is begun.
   */
  keep(repository: Repository, digest: Digest, size: number | undefined): boolean {
    const { upstream, inquiry, shelves } = this.#parts;
    if (size === undefined || inquiry.resting(repository, digest) !== undefined) return false;
    const asked = { repository, digest, range: undefined, copies: false };
    // The client may leave; that ends what is his, and not this.
    const { signal } = new AbortController();
    const bring = async () => {
      const content = await inquiry.ask(repository, digest, () => upstream.untouched(asked, anonymous, signal));
      if (content === undefined) await inquiry.gone(repository, digest);
      else await inquiry.retold(repository, digest, content.size);
      return content;
    };
    return this.#layBy(repository, digest, size, { at: shelves.length, bring });
  }

  /** On the farthest shelf before `from` that takes it: from there a later pull brings it nearer. */
  #layBy(
    repository: Repository,
    digest: Digest,
    size: number,
    from: { readonly at: number; readonly bring: () => Promise<Content | undefined> },
  ): boolean {
    const { memory, shelves } = this.#parts;
    const key = laidKey(repository, digest, from.at);
    if (memory.laidBy.get(key) !== undefined) return false;
    const taker = shelves.slice(0, from.at).findLast((shelf) => shelf.keep(repository, digest, size, from.bring));
    if (taker !== undefined) memory.laidBy.set(key, true, laidByFor);
    return taker !== undefined;
  }

  /** That it was laid by a moment ago: it is to be again. */
  #forget(repository: Repository, digest: Digest): void {
    const { memory, shelves } = this.#parts;
    for (let at = 0; at <= shelves.length; at += 1) memory.laidBy.delete(laidKey(repository, digest, at));
  }

  /** The repository is public, as far as is known, and this blob is in it. */
  async #admit(repository: Repository, digest: Digest): Promise<Admission | undefined> {
    const { book, clock, inquiry, freshness } = this.#parts;
    const { staleFor } = freshness(repository.registry);
    const verdict = standingOf(await book.verdict(repository), clock.now(), staleFor);
    if (verdict === 'none') return undefined;
    const standing = await book.standing(repository, digest);
    // Proven as a manifest is not proven as a blob: registries keep them apart.
    const size = standing === undefined || isManifestType(standing.mediaType) ? undefined : standing.size;
    if (verdict === 'fresh' && size !== undefined) return { size };
    // A question is asked only if it spares a download.
    if ((await this.#stat(repository, digest)) === undefined) return undefined;
    const resting = inquiry.resting(repository, digest);
    if (resting !== undefined) return size === undefined ? undefined : { size, trouble: resting };
    try {
      const proof = await inquiry.prove(repository, digest);
      if (proof === undefined) throw unknownBlob(repository, digest);
      await inquiry.retold(repository, digest, proof.size);
      return { size: proof.size ?? size };
    } catch (error) {
      if (!(error instanceof RegistryError) || !error.passing) throw error;
      return size === undefined ? undefined : { size, trouble: error };
    }
  }

  async #stat(repository: Repository, digest: Digest, proven?: number): Promise<number | undefined> {
    for (const shelf of this.#parts.shelves) {
      const size = await shelf.stat(repository, digest);
      if (size !== undefined && (proven === undefined || proven === size)) return size;
    }
    return undefined;
  }

  /** From the nearest that has it, in the size that the upstream told. */
  async #open({ repository, digest, range }: BlobPull, proven: number | undefined): Promise<Content | undefined> {
    for (const [at, shelf] of this.#parts.shelves.entries()) {
      if (shelf.holdsBack?.(repository, digest, range) === true) {
        this.#forget(repository, digest);
        continue;
      }
      const content = await shelf.open(repository, digest, range);
      if (content === undefined) continue;
      if (content.size !== undefined && (proven === undefined || proven === content.size)) {
        this.#layBy(repository, digest, content.size, { at, bring: () => shelf.open(repository, digest) });
        return content;
      }
      await discard(content.body);
    }
    return undefined;
  }
}

/** `at`: the shelf that it comes from. */
function laidKey(repository: Repository, digest: Digest, at: number): string {
  return `${repositoryKey(repository)} ${digest} ${at}`;
}
