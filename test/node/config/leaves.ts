// Every key of a schema, those of maps with names of somebody's choice and of lists included.
import * as z from 'zod';

export interface Leaf {
  readonly path: readonly (string | number)[];
  readonly schema: z.core.$ZodType;
}

const names = ['docker.io', 'alice'];

export function* everyLeaf(schema: z.core.$ZodType, path: Leaf['path'] = []): Generator<Leaf> {
  if (schema instanceof z.ZodPipe && !(schema.out instanceof z.ZodTransform)) yield* everyLeaf(schema.out, path);
  else if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault) {
    yield* everyLeaf(schema.unwrap(), path);
  } else if (schema instanceof z.ZodUnion) {
    for (const option of schema.options) yield* everyLeaf(option, path);
  } else if (schema instanceof z.ZodArray) yield* everyLeaf(schema.element, [...path, 0]);
  else if (schema instanceof z.ZodRecord) {
    const name = names.find((each) => z.safeParse(schema.keyType, each).success) ?? '';
    yield* everyLeaf(schema.valueType, [...path, name]);
  } else if (schema instanceof z.ZodObject) {
    for (const [key, of] of Object.entries(schema.shape)) yield* everyLeaf(of, [...path, key]);
  } else yield { path, schema };
}

/** What a map must have beside a key, where it is one of several alternatives. */
const beside: Readonly<Record<string, object>> = { password: { username: 'somebody' } };

/** A tree with this at the path, and nothing but what it takes to be right. */
export function treeWith([step, ...further]: Leaf['path'], value: unknown): unknown {
  if (step === undefined) return value;
  const below = treeWith(further, value);
  return typeof step === 'number' ? [below] : { [step]: below, ...beside[step] };
}
