// Asking an upstream in somebody's name: with a client's own login, or with our credentials for an account whose rules name the
// repository. Its answer opens that object to that one alone, for a minute, and is written down nowhere.
import type { Asker } from '../access/caller.ts';
import { type Mac, toHex } from '../access/mac.ts';
import type { Digest } from '../oci/digest.ts';
import { RegistryError } from '../oci/errors.ts';
import { type Reference, type Repository, isTag, repositoryKey } from '../oci/reference.ts';
import { type Admission, type BlobInquiry, type Proof, sizeProven } from './blob-inquiry.ts';
import { Flights } from './flights.ts';
import { decidedFor } from './freshness.ts';
import type { Memory } from './memory.ts';
import type { Origin } from './origin.ts';
import type { Resolved, Source, Upstream } from './ports.ts';

export interface PrivateParts {
  readonly upstream: Upstream;
  readonly memory: Memory;
  /** Under a key that leaves this process as little as what is remembered by it. */
  readonly mac: Mac;
  readonly closing: AbortSignal;
}

/** The same who asks for the same at the same time. */
interface Underway {
  readonly looks: Flights<Resolved | undefined>;
  readonly proofs: Flights<Proof | undefined>;
}

export class PrivateInquiries {
  readonly #parts: PrivateParts;
  readonly #underway: Underway = { looks: new Flights(), proofs: new Flights() };

  constructor(parts: PrivateParts) {
    this.#parts = parts;
  }

  /** Of a login nothing is remembered but a keyed hash of it, of who granted it, and of the repository. */
  async of(as: Asker, repository: Repository): Promise<PrivateInquiry> {
    const who = JSON.stringify(['asker', as.authorization, as.grantor, repositoryKey(repository)]);
    return new PrivateInquiry(this.#parts, this.#underway, as, toHex(await this.#parts.mac(who)));
  }
}

/** Of one repository. Who is shown what it admits to has shown his login again: no decision outlives that. */
export class PrivateInquiry implements BlobInquiry {
  readonly #parts: PrivateParts;
  readonly #underway: Underway;
  readonly #as: Asker;
  readonly #name: string;

  constructor(parts: PrivateParts, underway: Underway, as: Asker, name: string) {
    this.#parts = parts;
    this.#underway = underway;
    this.#as = as;
    this.#name = name;
  }

  party(): string {
    return this.#name;
  }

  origin({ registry }: Repository): Origin {
    return registry;
  }

  /** What it says a name points at, now; of a digest, whether it has it, a minute ago at most. undefined: it has no such manifest. */
  look(reference: Reference): Promise<Resolved | undefined> {
    const { upstream, memory, closing } = this.#parts;
    const { target } = reference;
    const decided = isTag(target) ? undefined : memory.decided.get(this.#manifest(target));
    if (decided?.descriptor !== undefined) return Promise.resolve({ descriptor: decided.descriptor });
    return this.#underway.looks.share(`${this.#name} ${target}`, async () => {
      const resolved = await upstream.resolve(reference, this.#as, closing);
      if (resolved === undefined) return undefined;
      const { descriptor } = resolved;
      memory.decided.set(this.#manifest(descriptor.digest), { size: descriptor.size, descriptor }, decidedFor);
      return resolved;
    });
  }

  prove(repository: Repository, digest: Digest): Promise<Proof | undefined> {
    const { upstream, memory, closing } = this.#parts;
    const key = this.#blob(digest);
    const decided = memory.decided.get(key);
    if (decided !== undefined) return Promise.resolve(decided);
    return this.#underway.proofs.share(key, async () => {
      const found = await upstream.stat(repository, digest, this.#as, closing);
      if (found !== undefined) memory.decided.set(key, { size: found.size }, decidedFor);
      return found;
    });
  }

  async admit(repository: Repository, digest: Digest): Promise<Admission> {
    return { size: await sizeProven(this, repository, digest), proven: true };
  }

  /** It may outlive the pull that it is for, in a fill, but no fill: the login is nowhere else. */
  source(repository: Repository, digest: Digest): Source {
    const open = this.#parts.upstream.blob(repository, digest, this.#as);
    return (...where) => this.#unlessRefused(this.#blob(digest), () => open(...where));
  }

  unkeptSource(repository: Repository, digest: Digest): Source {
    return this.source(repository, digest);
  }

  async manifest(reference: { readonly repository: Repository; readonly target: Digest }) {
    const { upstream, closing } = this.#parts;
    return this.#unlessRefused(this.#manifest(reference.target), () => upstream.manifest(reference, this.#as, closing));
  }

  async #unlessRefused<T>(key: string, question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      if (error instanceof RegistryError && !error.passing) this.#parts.memory.decided.delete(key);
      throw error;
    }
  }

  /** It is known now from bytes that match. Nobody else is told. */
  async proven(_: Repository, digest: Digest, size: number | undefined, surely = false): Promise<void> {
    const { decided } = this.#parts.memory;
    const known = decided.get(this.#blob(digest));
    // Its time goes on: nobody was asked again.
    if (known !== undefined && (surely || known.size === undefined)) known.size = size;
  }

  /** What his login has used up says nothing of anybody else's questions. */
  leaveAlone(): void {}

  async doubt(_: Repository, digest: Digest): Promise<void> {
    this.#parts.memory.decided.delete(this.#blob(digest));
  }

  #blob(digest: Digest): string {
    return `${this.#name} blob ${digest}`;
  }

  #manifest(digest: Digest): string {
    return `${this.#name} manifest ${digest}`;
  }
}
