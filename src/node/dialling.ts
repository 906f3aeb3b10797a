// What goes out, as each configuration has it: what was begun in one way goes on in it when the next has another.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../core/mirror/ports.ts';
import { createOutbound, type Outbound, type Way } from './outbound.ts';

export class Dialling {
  readonly #clock: Clock;
  #ways: readonly { readonly way: Way; readonly outbound: Outbound }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * One that differs gets connections of its own; those of the others that are not used close by themselves. A way that has none is
   * forgotten: who still has it may use it, and it costs nothing when he lets go.
   */
  as(way: Way): Pick<Outbound, 'dial' | 'fetch'> {
    const known = this.#ways.find((each) => isDeepStrictEqual(each.way, way));
    if (known !== undefined) return known.outbound;
    const outbound = createOutbound(way, this.#clock);
    this.#ways = [...this.#ways.filter((each) => !each.outbound.isIdle()), { way, outbound }];
    return outbound;
  }

  /** Breaks what still runs. */
  async close(): Promise<void> {
    await Promise.all(this.#ways.map(({ outbound }) => outbound.close()));
  }
}
