// JSON edited in place: what is not touched keeps its order, its indentation and its every space.
import { Malformed } from './plan.ts';

interface Span {
  readonly start: number;
  readonly end: number;
}

interface Member {
  readonly key: string;
  readonly name: Span;
  readonly value: JsonNode;
}

export interface JsonNode extends Span {
  /** Of an object. */
  readonly members?: readonly Member[];
  /** Of an array. */
  readonly items?: readonly JsonNode[];
}

/** Throws Malformed. */
export function parseJson(text: string): JsonNode {
  // A byte order mark is no part of it.
  const reader = new Reader(text, text.startsWith('\uFEFF') ? 1 : 0);
  const node = reader.value();
  reader.end();
  return node;
}

/** The value of a member, the last of its name, as decoders take it. */
export function memberOf(node: JsonNode, key: string): JsonNode | undefined {
  return node.members?.findLast((member) => member.key === key)?.value;
}

/** `text` with the member `key` of the object `node`: a new value where there is one, else a member behind the last. */
export function withMember(text: string, node: JsonNode, key: string, value: unknown): string {
  const found = memberOf(node, key);
  const style = styleOf(text, node);
  const printed = print(value, style);
  if (found !== undefined) return replace(text, found, printed);
  const member = `${JSON.stringify(key)}${style.colon}${printed}`;
  const last = node.members?.at(-1);
  if (last !== undefined) return insert(text, last.value.end, `,${style.gap}${member}`);
  return replace(text, node, `{${style.gap}${member}${style.close}}`);
}

/** `text` with a string before all others of the array `node`. */
export function withFirstItem(text: string, node: JsonNode, item: string): string {
  const [first] = node.items ?? [];
  if (first === undefined) return replace(text, node, `[${JSON.stringify(item)}]`);
  const gap = text.slice(node.start + 1, first.start);
  return insert(text, first.start, `${JSON.stringify(item)},${gap === '' ? ' ' : gap}`);
}

function replace(text: string, { start, end }: Span, by: string): string {
  return text.slice(0, start) + by + text.slice(end);
}

function insert(text: string, at: number, what: string): string {
  return replace(text, { start: at, end: at }, what);
}

interface Style {
  /** What stands before the name of a member. */
  readonly gap: string;
  readonly colon: string;
  /** What stands before the closing brace of an object that had no members. */
  readonly close: string;
  /** By which what is inside is indented further. Nothing: all stands on one line. */
  readonly unit: string;
}

/** As the object's last member is written; two spaces where there is none to learn from. */
function styleOf(text: string, node: JsonNode): Style {
  const outer = /(?:^|\n)([ \t]*)[^\n]*$/.exec(text.slice(0, node.start))?.[1] ?? '';
  const last = node.members?.at(-1);
  if (last === undefined) {
    const unit = outer === '' ? '  ' : outer;
    return { gap: `\n${outer}${unit}`, colon: ': ', close: `\n${outer}`, unit };
  }
  const gap = /[ \t\r\n]*$/.exec(text.slice(0, last.name.start))?.[0] ?? '';
  const indentation = indentationOf(gap);
  const deeper = indentation.startsWith(outer) ? indentation.slice(outer.length) : '';
  const unit = gap.includes('\n') ? deeper || '  ' : '';
  return { gap, colon: text.slice(last.name.end, last.value.start), close: '', unit };
}

function indentationOf(gap: string): string {
  return gap.slice(gap.lastIndexOf('\n') + 1);
}

function print(value: unknown, { unit, gap }: Style): string {
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
  const newline = gap.includes('\r\n') ? '\r\n' : '\n';
  return JSON.stringify(value, null, unit).replaceAll('\n', `${newline}${indentationOf(gap)}`);
}

class Reader {
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  value(): JsonNode {
    this.#space();
    const start = this.#at;
    const first = this.#text[start];
    if (first === '{') return { members: this.#list('}', () => this.#member()), start, end: this.#at };
    if (first === '[') return { items: this.#list(']', () => this.value()), start, end: this.#at };
    if (first === '"') this.#string();
    else this.#take(/(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.+-])/y, 'a value');
    return { start, end: this.#at };
  }

  end(): void {
    this.#space();
    if (this.#at < this.#text.length) this.#fail('the end of the file');
  }

  #member(): Member {
    this.#space();
    const start = this.#at;
    const key = this.#string();
    const name = { start, end: this.#at };
    this.#space();
    this.#take(/:/y, 'a colon');
    return { key, name, value: this.value() };
  }

  #list<T>(close: string, read: () => T): T[] {
    const found: T[] = [];
    this.#at++;
    this.#space();
    if (this.#text[this.#at] === close) this.#at++;
    else {
      do {
        found.push(read());
        this.#space();
      } while (this.#take(/[,}\]]/y, `a comma or ${close}`, `,${close}`) === ',');
    }
    return found;
  }

  #string(): string {
    // The characters of a string: none below a space, and escapes only as JSON has them.
    // oxlint-disable-next-line no-control-regex
    const found = this.#take(/"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y, 'a string in quotes');
    return String(JSON.parse(found));
  }

  #take(pattern: RegExp, expected: string, among?: string): string {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined || among?.includes(found) === false) this.#fail(expected);
    this.#at += found.length;
    return found;
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #fail(expected: string): never {
    const lines = this.#text.slice(0, this.#at).split('\n');
    const found = this.#text[this.#at];
    const what = found === undefined ? 'the end of the file' : JSON.stringify(found);
    throw new Malformed(`found ${what}, expected ${expected}`, lines.length, (lines.at(-1)?.length ?? 0) + 1);
  }
}
