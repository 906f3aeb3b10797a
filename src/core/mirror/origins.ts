// Whose word the bytes that are here came by: in nobody's name, or in somebody's at one registry. A HEAD opens what the asked
// registry has sent itself, or what is anybody's: one that says yes to everything would open what only others have.
import type { Digest } from '../oci/digest.ts';
import type { Repository } from '../oci/reference.ts';
import { anybodys, type Origin } from './origin.ts';
import type { Book } from './ports.ts';

export class Origins {
  readonly #book: Book;
  readonly #keepsPrivate: boolean;

  /** `keepsPrivate`: else everything that is here is anybody's. */
  constructor(book: Book, keepsPrivate: boolean) {
    this.#book = book;
    this.#keepsPrivate = keepsPrivate;
  }

  /** Of what is here and nobody remembers the origin, nobody is told anything: it is fetched again. */
  async opens({ registry }: Repository, digest: Digest): Promise<boolean> {
    if (!this.#keepsPrivate) return true;
    return (await this.#has(anybodys, digest)) || (await this.#has(registry, digest));
  }

  /** These bytes match, and came from there. */
  async learn(origin: Origin, digest: Digest): Promise<void> {
    if (!this.#keepsPrivate || (await this.#has(origin, digest))) return;
    await this.#book.link(all(origin), { mediaType: 'application/octet-stream', digest, size: 0 });
  }

  async #has(origin: Origin, digest: Digest): Promise<boolean> {
    return (await this.#book.standing(all(origin), digest)) !== undefined;
  }
}

/** No pull is of a repository without a name: in the book this one stands for all that have that origin. */
function all(registry: Origin): Repository {
  return { registry, name: '' };
}
