// What schemas of settings are made of. Every issue's message says what was expected; what was found is looked up where it is told.
import * as z from 'zod';

/** A value that `parse` understands. */
export function value<T>(expected: string, parse: (found: unknown) => T | undefined) {
  return z.unknown().transform((found, context): T => {
    const parsed = parse(found);
    if (parsed !== undefined) return parsed;
    context.issues.push({ code: 'custom', message: expected, input: found });
    return z.NEVER;
  });
}

/** Text that is not empty. */
export function text(expected: string) {
  return value(expected, (found) => (typeof found === 'string' && found !== '' ? found : undefined));
}

const paths = z.registry<{ readonly isPath: true }>();

/** One that is relative begins where the key stands. */
export function filePath(expected = 'the path of a file') {
  const path = text(expected);
  paths.add(path, { isPath: true });
  return path;
}

export function isFilePath(schema: z.core.$ZodType): boolean {
  return paths.has(schema);
}

const orEmpty = (found: unknown): unknown => found ?? {};

/** A map with known keys. One whose keys are all commented out is an empty one. */
export function section<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(
    orEmpty,
    z.strictObject(shape, { error: `a map with the keys ${Object.keys(shape).join(', ')}` }),
  );
}

/** A map whose keys are names of somebody else's choice. */
export function dictionary<Value extends z.ZodType>(expected: string, key: z.ZodType<string, string>, of: Value) {
  return z.preprocess(orEmpty, z.record(key, of, { error: expected }));
}

export function list<Item extends z.ZodType>(of: Item, expected: string) {
  return z.array(of, { error: `a list of ${expected}` });
}
