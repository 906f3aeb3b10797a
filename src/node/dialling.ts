// How upstreams are dialled, as each configuration has it: what was begun in one way goes on in it when the next has another.
import { isDeepStrictEqual } from 'node:util';
import type { Fetch } from '../core/upstream/fetch.ts';
import { createDial, type DialParts } from './dial/dial.ts';
import { createFetch, type FetchOptions } from './fetch.ts';

/** Values alone, which can be compared. */
export type Way = Pick<DialParts, 'resolve'> & Pick<FetchOptions, 'timeouts'>;

export class Dialling {
  readonly #ways: { readonly way: Way; readonly dialled: ReturnType<typeof createFetch> }[] = [];

  /** One that differs gets connections of its own; those of the others that are not used close by themselves. */
  as(way: Way): Fetch {
    const known = this.#ways.find((each) => isDeepStrictEqual(each.way, way));
    const dialled = known?.dialled ?? createFetch({ ...way, dial: createDial(way) });
    if (known === undefined) this.#ways.push({ way, dialled });
    return dialled.fetch;
  }

  /** Breaks what still runs. */
  async close(): Promise<void> {
    await Promise.all(this.#ways.map(({ dialled }) => dialled.close()));
  }
}
