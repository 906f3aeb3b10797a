// Everything that is wrong with a tree of settings: key by key, and between keys.
import type { z } from 'zod';
import { disagreements } from './disagreements.ts';
import { keysAt, suggest } from './keys.ts';
import { describe, type Path, type Problem, problemAt } from './problem.ts';
import { schema, type Settings } from './schema.ts';
import { valueAt, type Written } from './settings.ts';

/** `settings` is undefined if there are problems with single keys. */
export function check(written: Written): { settings: Settings | undefined; problems: readonly Problem[] } {
  const { data, error } = schema.safeParse(written.tree);
  const problems = [
    ...(error?.issues ?? []).flatMap((issue) => problemsOf(issue, [], written)),
    ...disagreements(written),
  ];
  return { settings: data, problems };
}

type Issue = z.core.$ZodIssue;

function problemsOf(issue: Issue, above: Path, written: Written): readonly Problem[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey([...path, key], written));
  if (issue.code === 'invalid_union') {
    // The alternative that the value at least looks like; if there is none, the union as a whole is what was expected.
    const alike = issue.errors.find((issues) =>
      issues.every((each) => each.path.length > 0 || each.code === 'unrecognized_keys'),
    );
    if (alike !== undefined) return alike.flatMap((each) => problemsOf(each, path, written));
  }
  const isName = issue.code === 'invalid_key';
  const expected = isName ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  const found = describe(isName ? path.at(-1) : valueAt(written.tree, path));
  return [problemAt(path, `found ${isName ? 'the name ' : ''}${found}, expected ${expected}`, written.where)];
}

function unknownKey(path: Path, written: Written): Problem {
  const known = keysAt(schema, path.slice(0, -1));
  return problemAt(path, `found an unknown key; ${suggest(String(path.at(-1)), known)}`, written.where);
}
