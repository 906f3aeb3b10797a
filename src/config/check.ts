// Everything that is wrong with a tree of settings: key by key, and between keys.
import type * as z from 'zod';
import { holdsSecretsAt, keysAt, suggest } from './keys.ts';
import { describe, type Path, type Problem, problemAt } from './problem.ts';
import { valueAt, type Written } from './written.ts';

export interface Rules<Schema extends z.ZodType> {
  readonly schema: Schema;
  /** What is wrong between keys, each of which is right by itself; of those that are not, it says nothing. */
  readonly disagreements: (written: Written) => readonly Problem[];
  /** Keys that another kind of sampan has, and why they are none here. */
  readonly elsewhere?: { readonly keys: ReadonlySet<PropertyKey>; readonly says: string };
}

/** `settings` is undefined if there are problems with single keys. */
export function check<Schema extends z.ZodType>(
  written: Written,
  rules: Rules<Schema>,
): { settings: z.output<Schema> | undefined; problems: readonly Problem[] } {
  const { data, error } = rules.schema.safeParse(written.tree);
  const problems = [
    ...(error?.issues ?? []).flatMap((issue) => problemsOf(issue, [], written, rules)),
    ...rules.disagreements(written),
  ];
  return { settings: data, problems };
}

type Issue = z.core.$ZodIssue;

function problemsOf(issue: Issue, above: Path, written: Written, rules: Rules<z.ZodType>): readonly Problem[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], written, rules));
  if (issue.code === 'invalid_union') {
    // The alternative that the value at least looks like; if there is none, the union as a whole is what was expected.
    const alike = issue.errors.find((issues) =>
      issues.every((each) => each.path.length > 0 || each.code === 'unrecognized_keys'),
    );
    if (alike !== undefined) return alike.flatMap((each) => problemsOf(each, path, written, rules));
  }
  const isName = issue.code === 'invalid_key';
  const expected = isName ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  const value = isName ? path.at(-1) : valueAt(written.tree, path);
  // Nobody should read them in the output of a service that does not start.
  const isSecret = !isName && isScalar(value) && holdsSecretsAt(rules.schema, path);
  const found = isSecret ? 'something else' : describe(value);
  return [problemAt(path, `found ${isName ? 'the name ' : ''}${found}, expected ${expected}`, written.where)];
}

function unknownKey(path: Path, written: Written, { schema, elsewhere }: Rules<z.ZodType>): Problem {
  const key = path.at(-1) ?? '';
  if (elsewhere?.keys.has(key) === true) return problemAt(path, elsewhere.says, written.where);
  const known = keysAt(schema, path.slice(0, -1));
  return problemAt(path, `found an unknown key; ${suggest(String(key), known)}`, written.where);
}

/** Of a map or a list nothing more is told than that it is one. */
function isScalar(value: unknown): boolean {
  return typeof value !== 'object' && value !== undefined;
}
