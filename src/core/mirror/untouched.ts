// Blobs for a mirror that has no time to look at bytes: from a shelf, or the upstream's body goes to the client as it came.
import { standingOf } from '../access/admit.ts';
import { type Asker, anonymous, isSomebody } from '../access/caller.ts';
import { isNotModified, isRangeWanted } from '../oci/conditional.ts';
import { RegistryError } from '../oci/errors.ts';
import type { BlobPull } from '../oci/pull.ts';
import { type RangeRequest, isEmptyRange, isWhole, resolveRange } from '../oci/range.ts';
import { unknownBlob } from '../oci/unknown.ts';
import type { Parts } from './parts.ts';
import type { Content } from './ports.ts';
import { blobHead, blobReply, notModified } from './replies.ts';
import type { Reply } from './reply.ts';
import { Shelved } from './shelved.ts';

export class UntouchedBlobs {
  readonly #parts: Parts;
  readonly #shelved: Shelved;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#shelved = new Shelved(parts);
  }

  async pull(pull: BlobPull, as: Asker, signal: AbortSignal): Promise<Reply> {
    // What a login opens is never kept, and what is kept is not what it opens.
    if (isSomebody(as)) return this.#ask(pull, as, signal);
    return (await this.#shelved.reply(pull)) ?? this.#askOrShow(pull, as, signal);
  }

  /** What a shelf has held back is shown after all if nobody else can be asked. */
  async #askOrShow(pull: BlobPull, as: Asker, signal: AbortSignal): Promise<Reply> {
    try {
      return await this.#ask(pull, as, signal);
    } catch (error) {
      const isPassing = error instanceof RegistryError && error.passing;
      const held = isPassing ? await this.#shelved.reply(pull) : undefined;
      if (held === undefined) throw error;
      return held;
    }
  }

  /** One question upstream, whose answer is all the permission that it takes. */
  async #ask(pull: BlobPull, as: Asker, signal: AbortSignal): Promise<Reply> {
    const { repository, digest, conditions } = pull;
    const outcome = isSomebody(as) ? 'pass' : 'forward';
    const unchanged = isNotModified(conditions, digest);
    if (pull.head || unchanged) {
      const size = await this.#size(pull, as, signal);
      return unchanged ? notModified(digest, outcome) : blobHead(digest, size, outcome);
    }
    const range = isRangeWanted(conditions, digest) ? pull.range : undefined;
    // Registries agree on no answer to a range of nothing.
    if (range !== undefined && isEmptyRange(range)) resolveRange(range, (await this.#size(pull, as, signal)) ?? 0);
    const content = await this.#open(pull, range, as, signal).catch(async (error: unknown) => {
      // That a range is out of bounds tells how large the blob is, and of that another sampan does not say for whom it is.
      if (!isSomebody(as) && error instanceof RegistryError && error.status === 416) await this.#size(pull, as, signal);
      throw error;
    });
    const isKept = !isSomebody(as) && isWhole(range) && this.#shelved.keep(repository, digest, content.size);
    return blobReply(digest, content, isKept ? 'miss' : outcome);
  }

  async #size({ repository, digest }: BlobPull, as: Asker, signal: AbortSignal): Promise<number | undefined> {
    const { upstream, inquiry } = this.#parts;
    const own = isSomebody(as);
    const found = await (own ? upstream.stat(repository, digest, as, signal) : inquiry.prove(repository, digest));
    if (found === undefined) throw unknownBlob(repository, digest);
    return found.size;
  }

  async #open(
    { repository, digest }: BlobPull,
    range: RangeRequest | undefined,
    as: Asker,
    signal: AbortSignal,
  ): Promise<Content> {
    const { upstream, inquiry, book, clock, freshness } = this.#parts;
    const own = isSomebody(as);
    const { staleFor } = freshness(repository.registry);
    const isPublic = !own && standingOf(await book.verdict(repository), clock.now(), staleFor) !== 'none';
    const asked = { repository, digest, range, copies: isPublic };
    const question = () => upstream.untouched(asked, own ? as : anonymous, signal);
    const content = await (own
      ? question()
      : isPublic
        ? inquiry.fetch(repository, digest, question)
        : inquiry.ask(repository, digest, question));
    if (content !== undefined) return content;
    if (!own) await inquiry.gone(repository, digest);
    throw unknownBlob(repository, digest);
  }
}
