// The book as the mirror sees it. This process is its only writer, so what was read or written once is known without asking again.
import type { Verdict } from '../../core/access/admit.ts';
import type { Book, Pointer } from '../../core/mirror/ports.ts';
import { Bounded } from '../../core/oci/bounded.ts';
import type { Descriptor } from '../../core/oci/descriptor.ts';
import type { Digest } from '../../core/oci/digest.ts';
import { type Repository, repositoryKey } from '../../core/oci/reference.ts';
import type { BookThread } from './book-thread.ts';
import type { Ledger } from './ledger.ts';

/** Entries kept of each kind. */
const kept = 10_000;

/**
 * A failing book knows nothing and forgets what it is told (but for what is kept here); `trouble` events tell so.
 * Kept are promises, made when the request is sent: requests are carried out in order, so none of them is ever outdated.
 */
export class SqliteBook implements Book {
  readonly #thread: BookThread;
  readonly #ledger: Ledger;
  readonly #pointers = new Bounded<Promise<Pointer | undefined>>(kept);
  readonly #standings = new Bounded<Promise<Descriptor | undefined>>(kept);
  readonly #verdicts = new Bounded<Promise<Verdict | undefined>>(kept);

  constructor(thread: BookThread, ledger: Ledger) {
    this.#thread = thread;
    this.#ledger = ledger;
  }

  pointer(repository: Repository, name: string): Promise<Pointer | undefined> {
    const key = repositoryKey(repository);
    return this.#pointers.getOr(`${key}\0${name}`, () => this.#thread.ask('pointer', key, name));
  }

  async point(repository: Repository, name: string, pointer: Pointer | undefined): Promise<void> {
    const key = repositoryKey(repository);
    this.#pointers.set(`${key}\0${name}`, Promise.resolve(pointer));
    await this.#thread.ask('point', key, name, pointer);
  }

  standing(repository: Repository, digest: Digest): Promise<Descriptor | undefined> {
    const key = repositoryKey(repository);
    return this.#standings.getOr(`${key}\0${digest}`, () => this.#thread.ask('standing', key, digest));
  }

  async link(repository: Repository, descriptor: Descriptor): Promise<void> {
    const key = repositoryKey(repository);
    this.#standings.set(`${key}\0${descriptor.digest}`, Promise.resolve(descriptor));
    await this.#thread.ask('link', key, descriptor);
  }

  async disown(repository: Repository, digest: Digest): Promise<void> {
    const key = repositoryKey(repository);
    this.#standings.set(`${key}\0${digest}`, Promise.resolve(undefined));
    await this.#thread.ask('disown', key, digest);
  }

  verdict(repository: Repository): Promise<Verdict | undefined> {
    const key = repositoryKey(repository);
    return this.#verdicts.getOr(key, () => this.#thread.ask('verdict', key));
  }

  async judge(repository: Repository, verdict: Verdict | undefined): Promise<void> {
    const key = repositoryKey(repository);
    this.#verdicts.set(key, Promise.resolve(verdict));
    await this.#thread.ask('judge', key, verdict);
  }

  touch(digest: Digest): void {
    this.#ledger.touch(digest);
  }
}
