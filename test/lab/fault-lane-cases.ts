// The matrix of what befalls one connection of several that bring in a blob, and what DESIGN promises for it.
import { parseRange } from '../../src/core/oci/range.ts';
import type { Asked } from '../fakes/registry/listener.ts';
import type { Bend } from '../fakes/registry/bent.ts';
import type { Gate } from '../fakes/registry/gate.ts';

/** So large that readers this far from each other have a lane each. */
export const size = 6_000_000;
/** What one read of a connection brings at most. */
const chunk = 64 * 1024;
/** The first reader wants all; each of the others begins so far ahead of every lane that it gets one of its own. */
export const readers = [undefined, 'bytes=1500000-1599999', 'bytes=3000000-', 'bytes=-100000'] as const;

export const kinds = [
  'reset',
  'truncated',
  'stall',
  'wrong bytes',
  'further ones: 429',
  'further ones: 503',
  'further ones: refused redirect',
  'further ones: 416',
  'further ones: another length',
  'further ones: range ignored',
  'further ones: range answered wrongly',
] as const;
export const places = {
  'at 0': 0,
  early: 10_000,
  'in the way of the third': 3_100_000,
  'at the last byte': size - 1,
} as const;

export interface LaneCase {
  readonly kind: (typeof kinds)[number];
  readonly at: number;
  readonly often: 'once' | 'always';
  readonly lanes: 1 | 4;
  /** Of two, the first is the faulty one. */
  readonly endpoints: 1 | 2;
}

export function laneCases(lanes: 1 | 4, endpoints: 1 | 2): (LaneCase & { readonly name: string })[] {
  return kinds.flatMap((kind) =>
    (['once', 'always'] as const).flatMap((often) =>
      Object.entries(places)
        // What befalls further connections does so before their first byte.
        .filter(([, at]) => !kind.startsWith('further') || at === 0)
        .map(([place, at]) => ({ kind, at, often, lanes, endpoints, name: `${kind}, ${place}, ${often}` })),
    ),
  );
}

/** The bends of the faulty endpoint's answers, in the order in which it is asked. `stall`: where a stalled connection waits. */
export function faulty({ kind, at, often, lanes }: LaneCase, stall: Gate): (asked: Asked) => Bend {
  let asked = 0;
  let faults = 0;
  const fault = (bend: Bend): Bend => (often === 'once' && faults++ > 0 ? {} : bend);
  return ({ headers }) => {
    asked += 1;
    const further = furtherBends[kind];
    if (further !== undefined) {
      // One alone asks again only when it broke off.
      if (asked === 1 && lanes === 1) return { breaks: { at: 3_100_000, how: 'cut' } };
      return asked === 1 || headers.range === undefined ? {} : fault(further);
    }
    const range = parseRange(headers.range);
    const first = range === undefined || range.kind === 'suffix' ? 0 : range.offset;
    const last = range?.kind === 'between' ? range.last : size - 1;
    // The one that brings this byte, and not one that stops before it when others have begun.
    if (at < first || at > last || (lanes > 1 && first < laneOf(at))) return {};
    if (kind === 'wrong bytes') return fault({ flip: at });
    const how = kind === 'reset' ? 'reset' : 'cut';
    return fault({ breaks: { at, how, ...(kind === 'stall' && { stall }) } });
  };
}

/** Where the lane begins that brings this byte. */
function laneOf(at: number): number {
  return [0, 1_500_000, 3_000_000, size - 100_000].findLast((start) => start <= at) ?? 0;
}

const furtherBends: Readonly<Record<string, Bend>> = {
  'further ones: 429': { refusal: { status: 429, headers: { 'retry-after': '5' } } },
  'further ones: 503': { refusal: { status: 503 } },
  'further ones: refused redirect': { refusal: { status: 403 } },
  'further ones: 416': { refusal: { status: 416 } },
  'further ones: another length': { claims: size - 1 },
  'further ones: range ignored': { range: 'ignored' },
  'further ones: range answered wrongly': { range: 'other' },
};

/** An answer that makes no sense to a question with a range (416, or a 502) is overcome by asking for the whole. */
const senseless: ReadonlySet<LaneCase['kind']> = new Set([
  'further ones: 416',
  'further ones: range ignored',
  'further ones: range answered wrongly',
]);

/** Whoever runs to the end has all or is cut off; who asked for a part may have had it before. */
export function outcome({ kind, often, lanes, endpoints }: LaneCase): 'whole' | 'broken' {
  if (kind === 'wrong bytes') return 'broken';
  if (often === 'once' || endpoints === 2) return 'whole';
  // As long as one connection works, it brings all that the others do not.
  return kind.startsWith('further') && (lanes > 1 || senseless.has(kind)) ? 'whole' : 'broken';
}

/**
 * No byte comes twice, but at the seams: each connection may lose what one read brought beyond where it was told to stop. And
 * who ignores ranges begins at the start whenever it is asked. `asked`: their ranges.
 */
export function mostBytes({ kind, lanes }: LaneCase, asked: readonly (string | undefined)[]): number {
  const plain = asked.filter((range) => range === undefined).length;
  // Several let go of one that begins at the start; a single one has to read it.
  const ignored = kind === 'further ones: range ignored' && lanes === 1 ? asked.length - plain : 0;
  return size * (senseless.has(kind) ? plain + ignored : 1) + chunk * asked.length;
}
