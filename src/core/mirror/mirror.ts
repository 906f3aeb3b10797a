// The mirror: a pull goes in, a reply comes out.
import { type Access, admitCaller } from '../access/admit.ts';
import { isNamed } from '../access/accounts.ts';
import { anonymous, type Asker, type Caller, isSomebody, ours } from '../access/caller.ts';
import type { Mac } from '../access/mac.ts';
import { admitPull, type Rules } from '../access/rules.ts';
import { askedIn } from '../oci/asked.ts';
import { RegistryError } from '../oci/errors.ts';
import { type Pull, repositoryOf } from '../oci/pull.ts';
import { type Reference, type Repository, repositoryKey } from '../oci/reference.ts';
import type { Underway } from './blob-flights.ts';
import { Blobs } from './blobs.ts';
import type { Report } from './events.ts';
import { closedFor, type Freshness, refusedFor } from './freshness.ts';
import { Inquiry } from './inquiry.ts';
import { KeptManifests } from './kept.ts';
import { Lists } from './lists.ts';
import { Manifests } from './manifests.ts';
import { Memory } from './memory.ts';
import { noBook, noStore } from './nothing.ts';
import { Origins } from './origins.ts';
import type { AheadLimits, Parts } from './parts.ts';
import { passManifest } from './pass.ts';
import type { BlobStore, Book, Clock, DigestOf, NewHasher, Shelf, Upstream } from './ports.ts';
import { PrivateInquiries } from './private.ts';
import { PrivateManifests } from './private-manifests.ts';
import { errorReply, inConfidence, unjudged } from './replies.ts';
import type { Reply } from './reply.ts';
import { tolerant } from './tolerant.ts';
import { UntouchedBlobs } from './untouched.ts';

export interface MirrorParts {
  readonly upstream: Upstream;
  readonly access: Access;
  /** Who may pull what at all. None, if nobody says. */
  readonly rules?: Rules;
  /** Without them every pull goes upstream: nothing is held, and nothing is remembered. */
  readonly store?: BlobStore | undefined;
  readonly book?: Book | undefined;
  readonly clock: Clock;
  readonly digest: DigestOf;
  /** Without it no blob is looked at, and none goes to a store: bodies go out as they come in. */
  readonly newHasher?: NewHasher;
  /** Under a key that is nowhere else. Without it what a login opens is neither kept nor shared. */
  readonly mac?: Mac;
  /** Where blobs that nobody looks at are kept, the nearest first. None, if nobody says. */
  readonly shelves?: readonly Shelf[];
  /** Of its own, if none is given. */
  readonly memory?: Memory;
  /** Those of the mirror that it takes over from: both go on with them. Of its own, if none are given. */
  readonly underway?: Underway;
  readonly freshness: (registry: string) => Freshness;
  /** How many connections one blob of a registry may be fetched over at once. */
  readonly lanes: (registry: string) => number;
  /** Nothing, if nobody says. */
  readonly ahead?: AheadLimits;
  /** We ask this registry in our own name where it counts how much we ask. None, if nobody says. */
  readonly credentialed?: (registry: string) => boolean;
  readonly report: Report;
  readonly closing: AbortSignal;
}

export class Mirror {
  readonly #access: Access;
  readonly #rules: Rules;
  readonly #parts: Parts;
  readonly #manifests: Manifests;
  readonly #blobs: Blobs | UntouchedBlobs;
  readonly #lists: Lists;
  readonly #privateManifests: PrivateManifests | undefined;

  constructor(parts: MirrorParts) {
    const { upstream, clock, digest, newHasher, report, freshness, lanes, ahead = nothingAhead, closing } = parts;
    const shelves = parts.shelves ?? [];
    const credentialed = parts.credentialed ?? (() => false);
    const memory = parts.memory ?? new Memory(clock);
    const store = tolerant(parts.store ?? noStore, report);
    const book = parts.book ?? noBook;
    const { mac } = parts;
    const keepsPrivate = parts.store !== undefined && newHasher !== undefined && mac !== undefined;
    const origins = new Origins(book, keepsPrivate);
    const kept = new KeptManifests(store, book, origins, digest, memory.manifests);
    const inquiry = new Inquiry(upstream, book, memory, clock, closing);
    this.#access = parts.access;
    this.#rules = parts.rules ?? [];
    this.#parts = {
      upstream,
      inquiry,
      store,
      shelves,
      book,
      origins,
      kept,
      memory,
      clock,
      digest,
      report,
      freshness,
      lanes,
      credentialed,
      closing,
    };
    if (newHasher === undefined) {
      this.#blobs = new UntouchedBlobs(this.#parts);
      this.#manifests = new Manifests(this.#parts);
    } else {
      const privately = keepsPrivate ? new PrivateInquiries({ upstream, memory, mac, closing }) : undefined;
      this.#privateManifests = privately && new PrivateManifests(kept, privately);
      const blobs = new Blobs({ ...this.#parts, newHasher, ahead, privately }, parts.underway);
      this.#blobs = blobs;
      this.#manifests = new Manifests(this.#parts, blobs.ahead);
    }
    this.#lists = new Lists(this.#parts, this.#manifests);
  }

  /** A client has changed it at the registry, past us: the next pull looks again. */
  forget(reference: Reference): Promise<void> {
    return this.#parts.inquiry.forget(reference);
  }

  /** Never throws, unless `signal` is aborted. Whoever gets the reply sends its body or discards it. */
  async pull(pull: Pull, caller: Caller, signal: AbortSignal): Promise<Reply> {
    const head = 'head' in pull && pull.head;
    try {
      admitCaller(this.#access, caller);
      const repository = repositoryOf(pull);
      if (repository !== undefined) admitPull(this.#rules, caller, repository);
      const reply = await this.#serve(pull, caller, signal);
      return pull.namespace === undefined
        ? reply
        : { ...reply, headers: { ...reply.headers, 'oci-namespace': pull.namespace } };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RegistryError) return errorReply(error, head);
      this.#parts.report({ kind: 'bug', error, asked: askedIn(pull) });
      return errorReply(new RegistryError('UNKNOWN', 'something went wrong here; the log of sampan says what'), head);
    }
  }

  #serve(pull: Pull, caller: Caller, signal: AbortSignal): Promise<Reply> {
    // A client's own login opens what it opens, for this client alone.
    const { authorization, grantor } = caller;
    if (authorization !== undefined) return this.#answerOne(pull, { authorization, grantor }, signal);
    const repository = repositoryOf(pull);
    if (repository === undefined || !isNamed(caller.account, repository)) return this.#answer(pull, anonymous, signal);
    return this.#answerNamed(pull, repository, signal);
  }

  /** One whose account may have this repository, whether it is public or not. */
  async #answerNamed(pull: Pull, repository: Repository, signal: AbortSignal): Promise<Reply> {
    const { closed } = this.#parts.memory;
    const key = repositoryKey(repository);
    if (closed.get(key) === true) return this.#answerOne(pull, ours, signal);
    try {
      return await this.#answer(pull, anonymous, signal);
    } catch (error) {
      // 429: who asks in nobody's name shares a budget with everybody at this address.
      if (!(error instanceof RegistryError && [401, 403, 404, 429].includes(error.status))) throw error;
      // Not public, as far as anybody can tell; but our credentials open it to those whom the configuration names.
      const reply = await this.#answerOne(pull, ours, signal);
      if (error.status === 429) return unjudged(reply);
      closed.set(key, true, closedFor);
      return reply;
    }
  }

  /** Somebody. Who is limited is told the same for a moment without its being asked: containerd repeats five times at once. */
  async #answerOne(pull: Pull, as: Asker, signal: AbortSignal): Promise<Reply> {
    const repository = repositoryOf(pull);
    if (repository === undefined) return this.#answer(pull, as, signal);
    const { digest, memory } = this.#parts;
    const login = new TextEncoder().encode(JSON.stringify([as.authorization, as.grantor]));
    const key = `${repositoryKey(repository)} ${await digest('sha256', login)}`;
    const refused = memory.limited.get(key);
    if (refused !== undefined) throw refused;
    try {
      return inConfidence(await this.#answer(pull, as, signal));
    } catch (error) {
      if (error instanceof RegistryError && error.status === 429) memory.limited.set(key, error, refusedFor);
      throw error;
    }
  }

  async #answer(pull: Pull, as: Asker, signal: AbortSignal): Promise<Reply> {
    const { upstream } = this.#parts;
    switch (pull.kind) {
      case 'ping':
        return {
          status: 200,
          headers: { 'content-type': 'application/json', 'content-length': '2' },
          body: ping,
          outcome: 'none',
        };
      case 'manifest':
        if (!isSomebody(as)) return this.#manifests.pull(pull, signal);
        return this.#privateManifests?.pull(pull, as, signal) ?? passManifest(upstream, pull, as, signal);
      case 'blob':
        return this.#blobs.pull(pull, as, signal);
      case 'tags':
        return this.#lists.tags(pull, as, signal);
      case 'referrers':
        return this.#lists.referrers(pull, as, signal);
    }
  }
}

const nothingAhead: AheadLimits = { flights: 0, bytes: 0 };

const ping = { kind: 'bytes', bytes: new TextEncoder().encode('{}') } as const;
