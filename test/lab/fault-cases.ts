// The matrix of what goes wrong while a blob is fetched: what, at which byte, how often, who reads, and who else could be asked.
import type { Asked } from '../fakes/registry/listener.ts';
import type { Bend } from '../fakes/registry/bent.ts';
import type { Gate } from '../fakes/registry/gate.ts';

export const size = 300_000;

export const kinds = [
  'reset',
  'stall',
  'truncated',
  'ended too early',
  'wrong bytes',
  'too short a length',
  'too long a length',
  '429',
  '503',
  'refused redirect',
  'range ignored',
  'range answered wrongly',
] as const;
export const places = { 'at 0': 0, early: 10_000, late: size - 30_000, 'at the last byte': size - 1 } as const;
export const crowds = ['1 client', '20 clients', 'one joins', 'one of two leaves', 'all leave'] as const;

export type Kind = (typeof kinds)[number];
export type Crowd = (typeof crowds)[number];

export interface Case {
  readonly kind: Kind;
  readonly at: number;
  readonly often: 'once' | 'always';
  readonly crowd: Crowd;
  /** Of two, the first is the faulty one. */
  readonly endpoints: 1 | 2;
}

export interface NamedCase extends Case {
  readonly name: string;
}

export function cases(kind: Kind, endpoints: 1 | 2): NamedCase[] {
  return (['once', 'always'] as const).flatMap((often) =>
    Object.entries(places).flatMap(([place, at]) =>
      crowds.map((crowd) => ({ kind, at, often, crowd, endpoints, name: `${place}, ${often}, ${crowd}` })),
    ),
  );
}

/** What an endpoint with a lying head says. Past the end by different amounts, so that one byte is among them. */
export function claimed({ kind, at }: Case): number | undefined {
  if (kind === 'too short a length') return at;
  return kind === 'too long a length' ? size + (size - at) : undefined;
}

const refusals = {
  '429': { status: 429, headers: { 'retry-after': '5' } },
  '503': { status: 503 },
  'refused redirect': { status: 403 },
} as const;

/** The bends of one endpoint's answers, in the order in which it is asked. `stall`: where a stalled connection waits. */
export function faulty(given: Case, stall: Gate): (asked: Asked) => Bend {
  const { kind, at, often } = given;
  const claims = claimed(given);
  let asked = 0;
  let faults = 0;
  const fault = (bend: Bend): Bend => (often === 'once' && faults++ > 0 ? {} : bend);
  // What a resumption meets needs something to resume.
  const before = (bend: Bend): Bend => (asked === 1 ? { breaks: { at, how: 'cut' } } : fault(bend));

  return ({ headers }) => {
    asked += 1;
    switch (kind) {
      case 'reset':
        return fault({ breaks: { at, how: 'reset' } });
      case 'stall':
        return fault({ breaks: { at, how: 'reset', stall } });
      case 'truncated':
        return fault({ breaks: { at, how: 'cut' } });
      case 'ended too early':
        return fault({ breaks: { at, how: 'end' }, length: false });
      case 'wrong bytes':
        return fault({ flip: at });
      case 'too short a length':
      case 'too long a length':
        return fault(claims === undefined ? {} : { claims });
      case '429':
      case '503':
      case 'refused redirect':
        return at === 0 ? fault({ refusal: refusals[kind] }) : before({ refusal: refusals[kind] });
      case 'range ignored':
      case 'range answered wrongly': {
        const bend: Bend = { range: kind === 'range ignored' ? 'ignored' : 'other' };
        return asked > 1 && headers.range === undefined ? {} : before(bend);
      }
    }
  };
}
