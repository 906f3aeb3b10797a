// What DESIGN promises for each case of the matrix, from the words of the protocol alone.
import { RegistryError } from '../../src/core/oci/errors.ts';
import { parseRange, resolveRange } from '../../src/core/oci/range.ts';
import { type Case, claimed, size } from './fault-cases.ts';

export interface Expected {
  readonly status: number;
  /** What becomes of the body; `either`: it is for the client to verify, and may be told to or not. */
  readonly body: 'whole' | 'broken' | 'either' | 'none';
  /** Of the blob. */
  readonly offset: number;
  readonly length: number;
}

/** How the fetch as a whole goes. A number: refused with that status before any head. */
export function outcome({ kind, at, often, endpoints }: Case): 'whole' | 'broken' | number {
  const saved = often === 'once' || endpoints === 2;
  switch (kind) {
    case 'wrong bytes':
    case 'too long a length':
      return 'broken';
    case 'too short a length':
      // A head that promises nothing would be a complete answer.
      if (at > 0) return 'broken';
      return endpoints === 2 ? 'whole' : 502;
    case '429':
    case 'refused redirect':
      if (at > 0) return saved ? 'whole' : 'broken';
      // Whoever has a second endpoint asks it; a client alone is told, and may come again.
      return endpoints === 2 ? 'whole' : kind === '429' ? 429 : 502;
    case '503':
      if (saved) return 'whole';
      return at === 0 ? 503 : 'broken';
    case 'range ignored':
    case 'range answered wrongly':
      return 'whole';
    case 'ended too early':
      // Nobody tells of such an endpoint that it did not bring what it had to, as long as no range is asked for.
      return often === 'once' || (endpoints === 2 && at > 0) ? 'whole' : 'broken';
    case 'reset':
    case 'stall':
    case 'truncated':
      return saved ? 'whole' : 'broken';
  }
}

/** What one client is answered. `asked`: its Range header. */
export function expected(given: Case, asked: string | undefined): Expected {
  const all = outcome(given);
  if (typeof all === 'number') return { status: all, body: 'none', offset: 0, length: 0 };
  const total = all === 'broken' ? (claimed(given) ?? size) : size;
  const request = parseRange(asked);
  if (request === undefined) return { status: 200, body: all, offset: 0, length: total };
  try {
    const range = resolveRange(request, total);
    // Bounded and suffix ranges go out as they come, so they may be over before it breaks.
    const body = all === 'broken' && request.kind !== 'from' ? 'either' : all;
    return { status: 206, body, ...range };
  } catch (error) {
    if (error instanceof RegistryError) return { status: error.status, body: 'none', offset: 0, length: 0 };
    throw error;
  }
}

export function isStored(given: Case): boolean {
  return outcome(given) === 'whole';
}

/** In a row. */
const attempts = 7;
/** What one read of a connection brings at most: lost, when it goes beyond where its lane was told to stop. */
const chunk = 64 * 1024;

/**
 * No byte is received twice: who goes on asks for what he lacks. But what is known already is sent again by who ignores ranges,
 * or makes no sense of them, so that the whole is asked for; and of many readers one may have a lane of his own.
 */
export function mostBytes(given: Case): number {
  const { kind, at, crowd, endpoints } = given;
  const seams = crowd === '20 clients' ? 3 * chunk : 0;
  if (kind.startsWith('range')) return size + at + seams;
  const isBreak = ['reset', 'stall', 'truncated', 'ended too early'].includes(kind);
  // Nobody ever sends what lies behind.
  return (isBreak && endpoints === 1 && outcome(given) === 'broken' ? at : size) + seams;
}

/** Each attempt asks up to three times if the answer is 5xx. After 64 KiB more attempts are counted anew. */
export function mostRequests({ kind, often, at, endpoints }: Case): number {
  if (kind === 'too long a length') return attempts * endpoints;
  if (often === 'once') return 4;
  const rounds = kind === 'reset' || kind === 'stall' ? 1 + Math.ceil(at / 65_536) : 1;
  return rounds * attempts * (kind === '503' ? 3 : 1) * endpoints;
}
