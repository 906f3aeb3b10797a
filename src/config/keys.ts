// The keys that the schema knows: what the environment may set, and what somebody may have meant.
import * as z from 'zod';
import type { Path } from './problem.ts';

/** Every key that is not a section: `['storage', 'limit']`, `['registries']`. */
export function leaves(schema: z.core.$ZodType): readonly (readonly string[])[] {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) return [[]];
  return Object.entries(inner.shape).flatMap(([key, value]) => leaves(value).map((path) => [key].concat(path)));
}

/** The keys that a map may have at `path`; none where any name will do. */
export function keysAt(schema: z.core.$ZodType, path: Path): readonly string[] {
  const inner = unwrap(schema);
  const [step, ...further] = path;
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => keysAt(option, path));
  if (inner instanceof z.ZodRecord) return step === undefined ? [] : keysAt(inner.valueType, further);
  if (!(inner instanceof z.ZodObject)) return [];
  if (step === undefined) return Object.keys(inner.shape);
  const value: z.core.$ZodType | undefined = inner.shape[String(step)];
  return value === undefined ? [] : keysAt(value, further);
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodPipe) return unwrap(schema.out);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return unwrap(schema.unwrap());
  return schema;
}

/** What a word that is not known should have been: the one that is a few letters away, or else one of all. */
export function suggest(word: string, known: readonly string[]): string {
  const [nearest] = known
    .map((candidate) => ({ candidate, distance: distance(word.slice(0, longestWord), candidate) }))
    .filter((each) => each.distance <= Math.max(2, each.candidate.length / 3))
    .toSorted((one, other) => one.distance - other.distance);
  return nearest === undefined ? `expected one of ${known.join(', ')}` : `did you mean ${nearest.candidate}?`;
}

const longestWord = 64;

/** Levenshtein's: how many letters to add, drop or change. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(at(row, j) + 1, at(next, j - 1) + 1, at(row, j - 1) + changed));
    }
    row = next;
  }
  return at(row, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
