// Clients with limits, in a time that a test lets pass.
import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import type { Caller } from '../../../src/core/access/caller.ts';
import type { Ration, Pace } from '../../../src/core/door/limit.ts';
import { Limits, type LimitSettings } from '../../../src/core/door/limits.ts';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';

export const none: LimitSettings = { requests: undefined, bytes: undefined, pulls: undefined, loopback: false };
export const here: Caller = { address: '192.0.2.1' };
export const there: Caller = { address: '192.0.2.2' };
export const step = 65_536;

export class World {
  readonly events: MirrorEvent[] = [];
  time = 5000;
  readonly ticks = new Set<() => void>();
  readonly limits = new Limits({
    now: () => this.time,
    every: (ms, tick) => {
      assert.equal(ms, 50);
      this.ticks.add(tick);
      return () => void this.ticks.delete(tick);
    },
    report: (event) => void this.events.push(event),
  });

  /** In steps of the timer's; in each, whoever has got something goes on. */
  async pass(ms: number): Promise<void> {
    for (const end = this.time + ms; this.time < end;) {
      this.time += 50;
      for (const tick of this.ticks) tick();
      await setImmediate();
    }
  }

  ask(
    settings: Partial<LimitSettings>,
    caller = here,
    { blob = false, signal = new AbortController().signal } = {},
  ): Asked {
    const asked: Asked = { state: 'waits' };
    this.limits
      .by({ ...none, ...settings })(caller, { blob, signal })
      .then(
        (ration) => Object.assign(asked, { state: 'has', ration }),
        (error: unknown) => Object.assign(asked, { state: 'refused', error }),
      );
    return asked;
  }

  /** A connection that takes steps for as long as the test goes on. */
  connection(pace: Pace | undefined, size = step): { bytes: number; longest: number } {
    const got = { bytes: 0, longest: 0 };
    void (async () => {
      for (let at = this.time; this.time < 1e6; at = this.time) {
        const bytes = await pace?.take(size);
        got.longest = Math.max(got.longest, this.time - at);
        got.bytes += bytes ?? size;
        await Promise.resolve();
      }
    })();
    return got;
  }

  limited(by: string, refused: boolean): number {
    return this.events.filter((event) => event.kind === 'limited' && event.by === by && event.refused === refused)
      .length;
  }
}

export interface Asked {
  state: 'waits' | 'has' | 'refused';
  ration?: Ration | undefined;
  error?: unknown;
}
