// TOML and YAML edited by one insertion: whatever is tried counts only if it then means what was there and what was added, and nothing else.
import { isRecord, type Parse } from './plan.ts';

export type Value = string | boolean | readonly string[];

/** `text` with `value` at `path`, or undefined if no small edit does that and changes nothing else. */
export function withToml(text: string, path: readonly string[], value: Value, parse: Parse): string | undefined {
  const table = path.slice(0, -1);
  const line = `${tomlKey(path.at(-1) ?? '')} = ${tomlValue(value)}`;
  return firstThatMeans(assigned(parse(text), path, value), candidates(), parse);

  function* candidates(): Generator<string> {
    yield text;
    yield* replacedLines(
      text,
      /^(\s*)([^\s=]+)\s*=\s*(?:"[^"]*"|'[^']*'|\[[^[\]]*\]|true|false)/,
      (indentation, key) => (unquoted(key) === path.at(-1) ? `${indentation}${line}` : undefined),
    );
    if (table.length === 0) yield inserted(text, 0, line);
    yield* behindLines(text, /^(\s*)\[(?!\[).*\]\s*(?:#.*)?$/, (head, indentation) =>
      head.includes(table.at(-1) ?? '') ? `${indentation}  ${line}` : undefined,
    );
    yield appended(text, `[${table.map(tomlKey).join('.')}]\n  ${line}\n`);
  }
}

/** The same for block YAML; `path` has two keys or more. */
export function withYaml(text: string, path: readonly string[], value: Value, parse: Parse): string | undefined {
  return firstThatMeans(assigned(parse(text), path, value), candidates(), parse);

  function* candidates(): Generator<string> {
    yield text;
    // As deep as the file already goes: behind the line of the innermost key that is there.
    for (let depth = path.length - 1; depth > 0; depth--) {
      const rest = path.slice(depth);
      yield* behindLines(text, /^( *)(\S.*?):\s*(?:#.*)?$/, (_head, indentation, key, next) => {
        const deeper = /^ +/.exec(next)?.[0] ?? '';
        const unit = deeper.length > indentation.length ? deeper : `${indentation}  `;
        return unquoted(key) === path[depth - 1] ? yamlBlock(rest, value, unit) : undefined;
      });
    }
    yield appended(text, `${yamlBlock(path, value, '')}\n`, '');
  }
}

/** `text` with a table before all others that begin with the same key, or at the end. */
export function withTable(text: string, path: readonly string[], lines: Readonly<Record<string, Value>>, parse: Parse) {
  const keys = Object.entries(lines).map(([key, value]) => `  ${tomlKey(key)} = ${tomlValue(value)}\n`);
  const block = `[${path.map(tomlKey).join('.')}]\n${keys.join('')}`;
  const first = text.search(new RegExp(`^[ \\t]*\\[${path[0]}\\.`, 'm'));
  const wanted = assigned(parse(text), path, lines);
  const edit = first < 0 ? appended(text, block) : `${text.slice(0, first)}${block}\n${text.slice(first)}`;
  return firstThatMeans(wanted, [edit], parse);
}

export function tomlKey(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : JSON.stringify(key);
}

/** JSON's strings, arrays and truth are TOML's. */
export function tomlValue(value: Value): string {
  return Array.isArray(value) ? `[${value.map((item) => JSON.stringify(item)).join(', ')}]` : JSON.stringify(value);
}

function firstThatMeans(wanted: unknown, candidates: Iterable<string>, parse: Parse): string | undefined {
  const meaning = canonical(wanted);
  for (const candidate of candidates) if (meaningOf(candidate, parse) === meaning) return candidate;
  return undefined;
}

function meaningOf(text: string, parse: Parse): string | undefined {
  try {
    return canonical(parse(text));
  } catch {
    return undefined;
  }
}

/** The same for values that differ in nothing but the order of keys. */
function canonical(value: unknown): string {
  return JSON.stringify(value ?? {}, (_key, part: unknown) =>
    isRecord(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  );
}

function assigned(base: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const record = isRecord(base) ? base : {};
  return { ...record, [key]: assigned(record[key], rest, value) };
}

function* replacedLines(
  text: string,
  pattern: RegExp,
  by: (indentation: string, key: string) => string | undefined,
): Generator<string> {
  for (const { start, line } of linesIn(text)) {
    const [found, indentation = '', key = ''] = pattern.exec(line) ?? [];
    const replacement = found === undefined ? undefined : by(indentation, key);
    if (replacement !== undefined) yield text.slice(0, start) + replacement + text.slice(start + (found?.length ?? 0));
  }
}

function* behindLines(
  text: string,
  pattern: RegExp,
  what: (head: string, indentation: string, key: string, next: string) => string | undefined,
): Generator<string> {
  for (const { start, line } of linesIn(text)) {
    const [head, indentation = '', key = ''] = pattern.exec(line) ?? [];
    const end = start + line.length + 1;
    const next = /^(?:[ \t]*(?:#[^\n]*)?\r?\n)*([^\n]*)/.exec(text.slice(end))?.[1] ?? '';
    const insertion = head === undefined ? undefined : what(head, indentation, key, next);
    if (insertion !== undefined) yield inserted(text, end, insertion);
  }
}

function* linesIn(text: string): Generator<{ start: number; line: string }> {
  for (const { 0: line, index } of text.matchAll(/[^\n]+/g)) yield { start: index, line };
}

function inserted(text: string, at: number, lines: string): string {
  const before = text.slice(0, at);
  return `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${lines}\n${text.slice(at)}`;
}

function appended(text: string, block: string, between = '\n'): string {
  return text.trim() === '' ? `${text}${block}` : `${text}${text.endsWith('\n') ? '' : '\n'}${between}${block}`;
}

function unquoted(key: string): string {
  return key.replace(/^(["'])(.*)\1$/, '$2');
}

function yamlBlock(path: readonly string[], value: Value, indentation: string): string {
  const lines = path.map((key, depth) => `${indentation}${'  '.repeat(depth)}${yamlKey(key)}:`);
  const inner = `${indentation}${'  '.repeat(path.length)}`;
  if (!Array.isArray(value)) return `${lines.join('\n')} ${JSON.stringify(value)}`;
  return [...lines, ...value.map((item) => `${inner}- ${JSON.stringify(item)}`)].join('\n');
}

function yamlKey(key: string): string {
  return /^[A-Za-z_][\w.-]*$/.test(key) ? key : JSON.stringify(key);
}
