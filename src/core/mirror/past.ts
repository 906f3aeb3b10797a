// Past the store: which blobs it could not take a moment ago, and what each client gets in its place, a download of its own.
import type { Digest } from '../oci/digest.ts';
import type { RangeRequest } from '../oci/range.ts';
import type { NamedPull } from './blob-inquiry.ts';
import type { Outcome } from './events.ts';
import { failingOver } from './fail-over.ts';
import type { BlobParts } from './parts.ts';
import { passBlob } from './pass.ts';
import type { Content, NoRoom } from './ports.ts';
import { Recent } from './recent.ts';
import { blobReply } from './replies.ts';
import type { ByteStream, Reply } from './reply.ts';

/** How long the store is not asked again to take a blob that it could not take. */
const pastFor = { 'too-large': 600_000, full: 10_000, failed: 10_000 } as const;

export class PastStore {
  readonly #parts: BlobParts;
  readonly #outcomes: Recent<Outcome>;

  constructor(parts: BlobParts) {
    this.#parts = parts;
    this.#outcomes = new Recent(parts.clock);
  }

  /** What becomes of a pull of this blob, if the store is not to be asked. */
  get(digest: Digest): Outcome | undefined {
    return this.#outcomes.get(digest);
  }

  remember(digest: Digest, { reason }: NoRoom): Outcome {
    const outcome = reason === 'too-large' ? 'too-large' : 'forward';
    this.#outcomes.set(digest, outcome, pastFor[reason]);
    return outcome;
  }

  /**
   * Not as long as the upstream says: cut short at rest, or the upstream is wrong. Pulls go past the store until the store
   * has found out. An upstream's word alone deletes nothing that others hold. `size`: as the store has it.
   */
  suspect(pull: NamedPull, size: number | undefined): void {
    const { digest } = pull;
    if (this.#outcomes.get(digest) !== undefined) return;
    this.#outcomes.set(digest, 'forward', pastFor.failed);
    void this.#settle(pull, size);
  }

  async #settle({ inquiry, repository, digest }: NamedPull, size: number | undefined): Promise<void> {
    if (await this.#parts.store.check(digest)) await inquiry.proven(repository, digest, size, true);
    this.#outcomes.delete(digest);
  }

  /** One download for one client. */
  async reply(pull: NamedPull, outcome: Outcome, signal: AbortSignal): Promise<Reply> {
    return blobReply(pull.digest, await this.#download(pull, pull.range, signal), outcome);
  }

  /** Should the store give the fill up in the middle, this client has the rest from a download of its own, checked from the first byte on. */
  surely(pull: NamedPull, content: Content, signal: AbortSignal): Content {
    const { body, size, range } = content;
    if (body.kind !== 'stream' || size === undefined) return content;
    const start = range?.offset ?? 0;
    const last = start + (range?.length ?? size) - 1;
    // Who asked for a bounded range or a suffix verifies for himself, wherever it ends.
    const isOpen = range === undefined || pull.range?.kind === 'from';
    const rest = async (sent: number): Promise<ByteStream> => {
      const offset = start + sent;
      const left: RangeRequest = isOpen ? { kind: 'from', offset } : { kind: 'between', offset, last };
      const past = await this.#download(pull, left, signal);
      if (past.body.kind !== 'stream') throw new Error('a download is a stream');
      return past.body.stream;
    };
    return { ...content, body: { kind: 'stream', stream: failingOver(body.stream, rest) } };
  }

  #download(
    { inquiry, repository, digest }: NamedPull,
    range: RangeRequest | undefined,
    signal: AbortSignal,
  ): Promise<Content> {
    return passBlob(inquiry.unkeptSource(repository, digest), digest, range, this.#parts, signal);
  }
}
