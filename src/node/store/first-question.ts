// What a fill asks for first: where its first readers want to begin, if it is known how large the blob is; else the start.
import { Intervals } from '../../core/mirror/intervals.ts';
import { type Want, nextMove } from '../../core/mirror/lanes.ts';
import { type Incoming, letGo } from '../../core/mirror/ports.ts';
import type { Sources } from '../../core/mirror/sources.ts';
import { wrong } from '../../core/mirror/wrong.ts';
import { RegistryError } from '../../core/oci/errors.ts';
import { type RangeRequest, resolveRange } from '../../core/oci/range.ts';

export interface Question {
  readonly from: number;
  /** Undefined: to the end. */
  readonly end: number | undefined;
}

export interface First {
  readonly incoming: Incoming;
  /** Where what was asked for ends. */
  readonly end: number | undefined;
}

/** `covered`: what need not be fetched. If that is all there is still a question, for who vouches for it. */
export function firstQuestion(
  early: readonly (RangeRequest | undefined)[],
  size: number | undefined,
  covered = new Intervals(),
): Question {
  const wants = early.map((asked) => wantOf(asked, size));
  const move = nextMove({ size, here: covered, lanes: [], wants, most: 1, companyHelps: true });
  if (size === undefined) return { from: 0, end: undefined };
  if (move?.kind !== 'start') return { from: Math.max(0, size - 1), end: undefined };
  return { from: move.from, end: move.to < size ? move.to : undefined };
}

/** A range that lies outside is refused when the upstream has told the size too. */
function wantOf(asked: RangeRequest | undefined, size: number | undefined): Want {
  const whole = { at: 0, end: size ?? Infinity };
  if (asked === undefined || size === undefined) return whole;
  try {
    const { offset, length } = resolveRange(asked, size);
    return { at: offset, end: offset + length };
  } catch {
    return whole;
  }
}

export async function askFirst(sources: Sources, { from, end }: Question, signal: AbortSignal): Promise<First> {
  try {
    const incoming = await sources.open(from, signal, end);
    if (incoming.offset === from) return { incoming, end };
    if (incoming.offset === 0) return { incoming, end: undefined };
    await letGo(incoming);
    throw wrong('did not begin where it was asked to');
  } catch (error) {
    // It may be that it makes no sense of a range.
    if (from === 0 || !(error instanceof RegistryError) || error.status !== 502) throw error;
    return { incoming: await sources.open(0, signal), end: undefined };
  }
}
