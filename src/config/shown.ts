// The configuration as it counts, for people: what was written, and what is usual, without what is secret.
import * as z from 'zod';
import { isFilePath } from './fields.ts';
import type { Path } from './problem.ts';
import { maskOf } from './secrets.ts';
import { valueAt } from './written.ts';

/** Where a path leads that was written at a key. */
export type Placed = (key: Path, written: string) => string;

/** `found`: what the schema takes. A section of which nobody has written anything, and in which nothing is usual, is left out. */
export function shown(schema: z.core.$ZodType, found: unknown, placed: Placed, at: Path = []): unknown {
  const mask = maskOf(schema);
  if (mask !== undefined) return typeof found === 'string' ? mask(found) : undefined;
  if (isFilePath(schema)) return typeof found === 'string' ? placed(at, found) : undefined;
  const inside = (inner: z.core.$ZodType, value: unknown): unknown => shown(inner, value, placed, at);
  const below = (of: z.core.$ZodType, step: string | number): unknown =>
    shown(of, valueAt(found, [step]), placed, [...at, step]);

  if (schema instanceof z.ZodOptional) return found === undefined ? undefined : inside(schema.unwrap(), found);
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    return inside(schema.unwrap(), found ?? schema.def.defaultValue);
  }
  if (schema instanceof z.ZodPipe) return inside(schema.out, found ?? {});
  if (schema instanceof z.ZodUnion) {
    const meant = schema.options.find((option) => z.safeParse(option, found).success);
    return meant && inside(meant, found);
  }
  if (schema instanceof z.ZodArray) return Object.keys(found ?? []).map((_, index) => below(schema.element, index));
  if (schema instanceof z.ZodRecord) {
    return Object.fromEntries(Object.keys(found ?? {}).map((name) => [name, below(schema.valueType, name)]));
  }
  if (schema instanceof z.ZodObject) {
    const keys = Object.entries(schema.shape).map(([key, of]) => [key, below(of, key)] as const);
    return Object.fromEntries(keys.filter(([key, value]) => hasKeys(value) || valueAt(found, [key]) !== undefined));
  }
  return found;
}

function hasKeys(value: unknown): boolean {
  return typeof value !== 'object' ? value !== undefined : Object.keys(value ?? {}).length > 0;
}
