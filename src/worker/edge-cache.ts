// Cloudflare's cache of one data centre, of which nothing is certain: it may forget at any time, and its trouble is absence.
import type { Report } from '../core/mirror/events.ts';
import { type Attempt, attempts } from '../core/mirror/tolerant.ts';
import { type Repository, repositoryKey } from '../core/oci/reference.ts';
import { within } from './stalls.ts';

/** Work that goes on behind the reply, for half a minute after the client has left. */
export type Later = (work: Promise<unknown>) => void;

export type Kind = 'receipt' | 'blob';

/** Seconds. The cache drops sooner what nobody uses; how long a record is good for, its own times tell. */
const keptFor = 604_800;

type Make = () => Promise<Response | undefined> | Response;

/** Milliseconds. It is there to be quicker than an upstream. */
const longestWait = 2000;

/** Of one request. */
export class EdgeCache {
  readonly #host: string;
  readonly #later: Later;
  readonly #attempt: Attempt;
  #failed = false;

  /** `host`: one that leads to this Worker. No client reaches these addresses: the cache has a name, and what has none is Cloudflare's. */
  constructor(host: string, later: Later, report: Report) {
    this.#host = host;
    this.#later = later;
    this.#attempt = attempts(report);
  }

  match(key: string, headers: Readonly<Record<string, string>> = {}): Promise<Response | undefined> {
    return this.#ask('match', (cache) => cache.match(new Request(this.#url(key), { headers })));
  }

  /** What lies there, as `how` makes it of the answer. */
  read<V>(key: string, how: (found: Response) => Promise<V>): Promise<V | undefined> {
    return this.#ask('read', async (cache) => {
      const found = await cache.match(this.#url(key));
      return found && how(found);
    });
  }

  record<V>(key: string): Promise<V | undefined> {
    return this.read(key, (found) => found.json<V>());
  }

  /** `make` gives the whole; undefined if there is nothing to keep after all. `then`: what is put when that is in, and only then. */
  put(key: string, make: Make, then?: { readonly key: string; readonly make: Make }): void {
    if (this.#failed) return;
    const put = this.#attempt('put', async () => {
      const cache = await opened();
      const response = await make();
      if (response === undefined) return;
      await cache.put(this.#url(key), response);
      if (then !== undefined) this.put(then.key, then.make);
    });
    // What the upstream did wrong is told of elsewhere.
    this.#later(put.catch(() => undefined));
  }

  /** What is withdrawn is so for those who look later: that is tried also where it is not waited for. */
  async withdraw(key: string, tombstone: Response): Promise<void> {
    const isAwaited = !this.#failed;
    const put = this.#try('withdraw', (cache) => cache.put(this.#url(key), tombstone));
    if (isAwaited) await put;
    else this.#later(put);
  }

  #url(key: string): string {
    return `https://${this.#host}/_sampan/2/${key}`;
  }

  /** Waited for once only: what fails is likely to fail again, and a request has time for one such wait. */
  async #ask<T>(doing: string, work: (cache: Cache) => Promise<T>): Promise<T | undefined> {
    return this.#failed ? undefined : this.#try(doing, work);
  }

  #try<T>(doing: string, work: (cache: Cache) => Promise<T>): Promise<T | undefined> {
    return this.#attempt(doing, async () => {
      try {
        return await within(longestWait, opened().then(work));
      } catch (error) {
        this.#failed = true;
        throw error;
      }
    });
  }
}

function opened(): Promise<Cache> {
  return caches.open('sampan');
}

/** No part of it is as a client wrote it: names were checked, and are encoded all the same. */
export function keyOf(kind: Kind, repository: Repository, name: string): string {
  return `${kind}/${encodeURIComponent(repositoryKey(repository))}/${encodeURIComponent(name)}`;
}

/** Nothing of it goes out as it is: what clients see of a reply is made anew. */
export function kept(body: BodyInit, headers: Readonly<Record<string, string>> = {}): Response {
  const told = { 'cache-control': `public, max-age=${keptFor}, immutable`, ...headers };
  return new Response(body, { headers: told });
}
