// How upstreams are dialled, as each configuration has it: what was begun in one way goes on in it when the next has another.
import { isDeepStrictEqual } from 'node:util';
import type { Fetch } from '../core/upstream/fetch.ts';
import { createFetch, type FetchOptions } from './fetch.ts';

export class Dialling {
  readonly #ways: { readonly options: FetchOptions; readonly dialled: ReturnType<typeof createFetch> }[] = [];

  /** One that differs gets connections of its own; those of the others that are not used close by themselves. */
  as(options: FetchOptions): Fetch {
    const known = this.#ways.find((way) => isDeepStrictEqual(way.options, options));
    const dialled = known?.dialled ?? createFetch(options);
    if (known === undefined) this.#ways.push({ options, dialled });
    return dialled.fetch;
  }

  /** Breaks what still runs. */
  async close(): Promise<void> {
    await Promise.all(this.#ways.map(({ dialled }) => dialled.close()));
  }
}
