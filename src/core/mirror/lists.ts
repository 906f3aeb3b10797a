// Pulls of lists: the tags of a repository, and the referrers of a manifest.
import { standingOf } from '../access/admit.ts';
import { type Asker, anonymous, isSomebody } from '../access/caller.ts';
import { type Digest, parseDigest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import { linkToNext } from '../oci/link.ts';
import { ociIndex, readManifest } from '../oci/manifest.ts';
import type { ReferrersPull, TagsPull } from '../oci/pull.ts';
import { fallbackTag, filterReferrers, noReferrers } from '../oci/referrers.ts';
import { type Repository, repositoryKey } from '../oci/reference.ts';
import { Flights } from './flights.ts';
import { isFresh, lacksReferrersFor, mayBeStale } from './freshness.ts';
import type { Manifests } from './manifests.ts';
import { anybodys } from './origin.ts';
import type { Parts } from './parts.ts';
import type { Page } from './ports.ts';
import { pageReply } from './replies.ts';
import type { Reply } from './reply.ts';

/** A whole list of referrers, unfiltered, and why it may be old. */
interface Referrers {
  readonly bytes: Uint8Array;
  readonly outcome: 'hit' | 'stale' | 'forward';
  readonly trouble?: RegistryError | undefined;
}

export class Lists {
  readonly #parts: Parts;
  readonly #manifests: Manifests;
  readonly #asking = new Flights<Referrers | undefined>();

  constructor(parts: Parts, manifests: Manifests) {
    this.#parts = parts;
    this.#manifests = manifests;
  }

  /** Asked each time: nobody pulls by a list of tags, and an old one misleads. */
  async tags({ repository, query, self, head }: TagsPull, as: Asker, signal: AbortSignal): Promise<Reply> {
    const own = isSomebody(as);
    const ask = () => this.#parts.upstream.tags(repository, query, as, signal);
    const page = own ? await ask() : await this.#parts.inquiry.list(repository, 'tags', ask);
    if (page === undefined) {
      throw new RegistryError('NAME_UNKNOWN', `the registry knows no ${repositoryKey(repository)}`);
    }
    return pageReply(page, link(self, page), head, own ? 'pass' : 'forward');
  }

  async referrers(pull: ReferrersPull, as: Asker, signal: AbortSignal): Promise<Reply> {
    const { repository, digest, query, self, head } = pull;
    const filter = new URLSearchParams(query);
    const wanted = filter.get('artifactType') ?? undefined;
    filter.delete('artifactType');
    if (isSomebody(as) || filter.toString() !== '') {
      return this.#referrersPage(pull, as, signal);
    }
    const found = await this.#referrersOf(repository, digest);
    if (found === undefined) return this.#referrersPage(pull, anonymous, signal);
    const page: Page = {
      mediaType: ociIndex,
      bytes: wanted === undefined ? found.bytes : filterReferrers(found.bytes, wanted),
      nextQuery: undefined,
      filters: wanted === undefined ? undefined : 'artifactType',
    };
    return pageReply(page, link(self, page), head, found.outcome, found.trouble);
  }

  /** A page of a list that has several, or that somebody's own login gets: passed on as it is. */
  async #referrersPage(
    { repository, digest, query, self, head }: ReferrersPull,
    as: Asker,
    signal: AbortSignal,
  ): Promise<Reply> {
    const ask = () => this.#parts.upstream.referrers(repository, digest, query, as, signal);
    const own = isSomebody(as);
    const page = own ? await ask() : await this.#parts.inquiry.list(repository, `referrers/${digest}`, ask);
    // A 404 here sends clients to the fallback tag (distribution-spec, "Unavailable Referrers API").
    if (page === undefined) {
      throw new RegistryError('UNSUPPORTED', 'the registry has no referrers endpoint', { status: 404 });
    }
    return pageReply(page, link(self, page), head, own ? 'pass' : 'forward');
  }

  /** Kept like a tag: dockerd asks at every pull. undefined: the list has several pages, which are not kept. */
  async #referrersOf(repository: Repository, digest: Digest): Promise<Referrers | undefined> {
    const { book, clock, inquiry, kept, report } = this.#parts;
    const name = `referrers/${digest}`;
    const freshness = this.#parts.freshness(repository.registry);
    const verdict = standingOf(await book.verdict(repository), clock.now(), freshness.staleFor);
    const pointer = await book.pointer(repository, name);
    const read = () =>
      pointer === undefined || verdict === 'none' ? undefined : kept.read(repository, pointer.descriptor.digest);
    if (pointer !== undefined && verdict === 'fresh' && isFresh(pointer, clock.now(), freshness)) {
      const bytes = await read();
      if (bytes !== undefined) return { bytes, outcome: 'hit' };
    }
    const resting = inquiry.resting(repository, name);
    try {
      if (resting !== undefined && pointer !== undefined && verdict !== 'none') throw resting;
      const ask = () => this.#askReferrers(repository, digest, name);
      return await this.#asking.share(`${repositoryKey(repository)} ${digest}`, ask);
    } catch (error) {
      if (!(error instanceof RegistryError) || !error.passing) throw error;
      if (pointer === undefined || !mayBeStale(pointer, clock.now(), freshness)) throw error;
      // Only now: what is held for others is not looked at for whom the upstream refuses.
      const held = await read();
      if (held === undefined) throw error;
      report({ kind: 'stale', repository, name, error });
      return { bytes: held, outcome: 'stale', trouble: error };
    }
  }

  async #askReferrers(repository: Repository, digest: Digest, name: string): Promise<Referrers | undefined> {
    const { upstream, inquiry, closing } = this.#parts;
    const key = repositoryKey(repository);
    const lacking = this.#parts.memory.lacking.get(key) === true;
    const page = lacking
      ? undefined
      : await inquiry.list(repository, name, () => upstream.referrers(repository, digest, '', anonymous, closing));
    if (page === undefined) {
      this.#parts.memory.lacking.set(key, true, lacksReferrersFor);
      return this.#fallback(repository, digest);
    }
    if (page.nextQuery !== undefined) return undefined;
    readManifest(page.bytes, ociIndex);
    await this.#keep(repository, digest, name, page.bytes);
    return { bytes: page.bytes, outcome: 'forward' };
  }

  /** distribution-spec, "Referrers Tag Schema". The tag has its own freshness, and its own memory of a 404. */
  async #fallback(repository: Repository, digest: Digest): Promise<Referrers> {
    const tag = fallbackTag(digest);
    const found = await this.#manifests.getList({ repository, target: tag });
    if (found === undefined) return { bytes: new TextEncoder().encode(noReferrers), outcome: 'forward' };
    const { manifest, trouble } = found;
    if (readManifest(manifest.bytes, manifest.descriptor.mediaType).kind !== 'index') {
      throw new RegistryError('MANIFEST_INVALID', `the tag ${tag} should be an index of referrers and is not`, {
        status: 502,
      });
    }
    return { bytes: manifest.bytes, outcome: trouble === undefined ? 'forward' : 'stale', trouble };
  }

  /** Not for digests that nobody has seen: anyone can make up as many as they like. */
  async #keep(repository: Repository, subject: Digest, name: string, bytes: Uint8Array): Promise<void> {
    const { book, kept, clock, digest } = this.#parts;
    if ((await book.standing(repository, subject)) === undefined) return;
    const descriptor = {
      mediaType: ociIndex,
      digest: parseDigest(`sha256:${await digest('sha256', bytes)}`),
      size: bytes.length,
    };
    await kept.keep({ descriptor, bytes }, anybodys);
    await book.point(repository, name, { descriptor, checkedAt: clock.now() });
  }
}

function link(self: TagsPull['self'], page: Page): string | undefined {
  return page.nextQuery === undefined ? undefined : linkToNext(self, page.nextQuery);
}
