// A fill's lanes at work, over a link in virtual time.
import assert from 'node:assert/strict';
import { Crew } from '../../../src/core/mirror/crew.ts';
import { Intervals } from '../../../src/core/mirror/intervals.ts';
import type { Want } from '../../../src/core/mirror/lanes.ts';
import type { Source } from '../../../src/core/mirror/ports.ts';
import { Sources } from '../../../src/core/mirror/sources.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { type LinkOptions, VirtualClock, VirtualLink } from './virtual-link.ts';

export const MB = 1_000_000;
const signal = new AbortController().signal;
export const blob = randomBytes(5, 64 * MB);
/** Bytes a millisecond. */
export const slow: LinkOptions = { each: 3000, all: 12_000, delay: 200 };

interface Options {
  readonly most?: number;
  readonly bytes?: Uint8Array;
  readonly busy?: boolean;
  /** Who can be asked; more may join. */
  readonly sources?: (link: VirtualLink, clock: VirtualClock) => Iterable<Source>;
  /** What readers do while it runs. */
  readonly meanwhile?: (fill: {
    clock: VirtualClock;
    has: (at: number, end: number) => Promise<void>;
  }) => Promise<void>;
}

/** A whole blob over a link; tells how long it took, and what it cost. */
export async function bring(link: LinkOptions, { most = 4, bytes = blob, busy = false, ...options }: Options = {}) {
  const clock = new VirtualClock();
  const over = new VirtualLink(bytes, clock, link);
  const sources = new Sources(options.sources?.(over, clock) ?? [over.source]);
  const here = new Intervals();
  const file = new Uint8Array(bytes.length);
  const wants = new Set<Want>();
  const waiting = new Set<() => void>();
  let written = 0;
  const write = async (chunk: Uint8Array, offset: number) => {
    await Promise.resolve();
    assert.equal(here.gapAt(offset, offset + chunk.length)?.start, offset, 'what is written was missing');
    file.set(chunk, offset);
    written += chunk.length;
    here.add(offset, offset + chunk.length);
    for (const wake of waiting) wake();
  };
  const parts = { size: bytes.length, here, wants: () => wants, write, sources, most, busy: () => busy, clock, signal };
  const crew = new Crew(parts);
  const has = async (at: number, end: number) => {
    while (here.endAt(at) < end) {
      const want = { at: here.endAt(at), end };
      wants.add(want);
      crew.wanted(want);
      await new Promise<void>((resolve) => waiting.add(resolve));
      wants.delete(want);
    }
  };
  const work = async () => {
    const first = await sources.open(0, signal);
    await Promise.all([crew.bringIn(first, undefined), options.meanwhile?.({ clock, has })]);
    await crew.stopped();
  };
  await clock.run(work());
  assert.ok(Buffer.from(file.buffer).equals(bytes), 'every byte is in its place');
  assert.equal(written, bytes.length);
  return { ms: clock.now(), link: over, twice: (over.sent - bytes.length) / bytes.length };
}
