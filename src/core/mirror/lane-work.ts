// What a lane does: it opens its stretch, again where that breaks, and writes what comes, until that is all or it is sent away.
import type { Intervals } from './intervals.ts';
import { type Clock, type Incoming, letGo } from './ports.ts';
import { resumed } from './resume.ts';
import type { RunningLane, Write } from './running-lane.ts';
import type { Sources } from './sources.ts';
import { wrong } from './wrong.ts';

export interface WorkParts {
  /** Bytes of the whole blob, if they are known. */
  readonly size: number | undefined;
  /** What is here; grows by `write`. */
  readonly here: Intervals;
  readonly write: Write;
  readonly sources: Sources;
  readonly clock: Clock;
  /** Stops it. The sources end their streams then. */
  readonly signal: AbortSignal;
}

/** The other lanes. */
interface Colleagues {
  readonly isAlone: () => boolean;
  /** They carry on if this one gives up. Who is told so gives up. */
  readonly canSpare: () => boolean;
  /** To be told with each chunk, before the next one. */
  readonly brought: () => void;
}

/** `first`: what is open already. Throws what it failed with, and the signal's reason when it was sent away. */
export async function work(
  lane: RunningLane,
  first: Incoming | undefined,
  parts: WorkParts,
  { isAlone, canSpare, brought }: Colleagues,
): Promise<void> {
  const { size, clock } = parts;
  const write: Write = (chunk, offset) => writeMissing(parts, chunk, offset);
  const signal = AbortSignal.any([parts.signal, lane.leaving]);
  lane.connection = first;
  const stream = resumed(first, {
    size,
    at: () => lane.at,
    end: () => (size === undefined || lane.stop === size ? undefined : lane.stop),
    open,
    spare: canSpare,
    clock,
    signal,
  });
  for await (const chunk of stream) {
    signal.throwIfAborted();
    if (lane.stop === size && chunk.length > lane.room) throw wrong('sends more bytes than it told');
    const piece = chunk.subarray(0, lane.room);
    await lane.bring(piece, write);
    if (piece.length < chunk.length || lane.done) break;
    brought();
  }
  signal.throwIfAborted();
  if (size !== undefined && lane.room > 0) throw wrong(`sent only ${lane.at} of ${size} bytes`);

  async function open(offset: number, until: AbortSignal, end: number | undefined): Promise<Incoming> {
    const { sources, here } = parts;
    if (lane.connection !== undefined) sources.stumbled(lane.connection);
    const incoming = await sources.open(offset, until, end);
    lane.connection = incoming;
    const fromBefore = incoming.offset < offset;
    if (fromBefore && !isAlone()) {
      await letGo(incoming);
      throw wrong('ignores ranges');
    }
    if (fromBefore) lane.goThrough(here.gapsBelow(size ?? Infinity) ?? { start: offset, end: lane.stop });
    lane.opened(incoming.end ?? (fromBefore ? (size ?? Infinity) : (end ?? size ?? Infinity)));
    return incoming;
  }
}

/** Of what comes from before the place that was asked for, some is here. */
async function writeMissing({ here, write }: WorkParts, chunk: Uint8Array, offset: number): Promise<void> {
  const end = offset + chunk.length;
  for (let gap = here.gapAt(offset, end); gap !== undefined; gap = here.gapAt(gap.end, end)) {
    await write(chunk.subarray(gap.start - offset, gap.end - offset), gap.start);
  }
}
