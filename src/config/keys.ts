// The keys that the schema knows: what the environment may set, and what somebody may have meant.
import * as z from 'zod';
import type { Path } from './problem.ts';
import { maskOf } from './secrets.ts';

/** Every key that is not a section: `['storage', 'limit']`, `['registries']`. */
export function leaves(schema: z.core.$ZodType): readonly (readonly string[])[] {
  const inner = unwrap(schema);
  if (!(inner instanceof z.ZodObject)) return [[]];
  return Object.entries(inner.shape).flatMap(([key, value]) => leaves(value).map((path) => [key].concat(path)));
}

/** The keys that a map may have at `path`; none where any name will do. */
export function keysAt(schema: z.core.$ZodType, path: Path): readonly string[] {
  return schemasAt(schema, path).flatMap(keysOf);
}

function keysOf(schema: z.core.$ZodType): readonly string[] {
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) return inner.options.flatMap(keysOf);
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : [];
}

/** Whether what stands at `path` is secret, or has a key below that is. */
export function holdsSecretsAt(schema: z.core.$ZodType, path: Path): boolean {
  return schemasAt(schema, path).some(holdsSecrets);
}

/** What may stand at `path`, by each of the alternatives that there are. */
function schemasAt(schema: z.core.$ZodType, path: Path): readonly z.core.$ZodType[] {
  const [step, ...further] = path;
  if (step === undefined) return [schema];
  const inner = unwrap(schema);
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => schemasAt(option, path));
  const below = childOf(inner, step);
  return below === undefined ? [] : schemasAt(below, further);
}

function childOf(inner: z.core.$ZodType, step: PropertyKey): z.core.$ZodType | undefined {
  if (inner instanceof z.ZodObject) return inner.shape[String(step)];
  if (inner instanceof z.ZodRecord) return inner.valueType;
  return inner instanceof z.ZodArray ? inner.element : undefined;
}

function holdsSecrets(schema: z.core.$ZodType): boolean {
  if (maskOf(schema) !== undefined) return true;
  const inner = unwrapOnce(schema);
  return inner === undefined ? childrenOf(schema).some(holdsSecrets) : holdsSecrets(inner);
}

function childrenOf(inner: z.core.$ZodType): readonly z.core.$ZodType[] {
  if (inner instanceof z.ZodUnion) return inner.options;
  if (inner instanceof z.ZodObject) return Object.values(inner.shape);
  if (inner instanceof z.ZodRecord) return [inner.valueType];
  return inner instanceof z.ZodArray ? [inner.element] : [];
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const inner = unwrapOnce(schema);
  return inner === undefined ? schema : unwrap(inner);
}

/** What a section, a default and the like are made of; undefined if it is nothing of that kind. */
function unwrapOnce(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodPipe) return schema.out;
  const isAround = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  return isAround ? schema.unwrap() : undefined;
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
