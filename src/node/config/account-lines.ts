// Accounts in the text of a configuration file: put in and taken out by the line, so that all the rest stays as somebody wrote it.
import { isDeepStrictEqual } from 'node:util';
import { type Document, isMap, isNode, isScalar, type Pair, parseDocument } from 'yaml';

export interface NewAccount {
  readonly name: string;
  readonly mac: string;
  /** Where there is none yet. */
  readonly key?: string | undefined;
}

/** Throws a TypeError for what is no YAML. */
export function withAccount(text: string, { name, mac, key }: NewAccount): string {
  const keyed =
    key === undefined
      ? text
      : edited(
          text,
          (document) => document.set('key', key),
          () => ending(text, `key: ${key}\n`),
        );
  const set = (document: Document): void => {
    // Of sections that are empty, as of maps.
    for (const path of [['accounts'], ['accounts', name]]) {
      if (document.getIn(path) === null) document.setIn(path, document.createNode({}));
    }
    document.setIn(['accounts', name, 'mac'], mac);
  };
  return edited(keyed, set, (document) => {
    const accounts = pairIn(document.contents, 'accounts');
    const account = pairIn(accounts?.value, name);
    if (accounts === undefined) return ending(keyed, linesOf(['accounts', name, 'mac'], mac, ''));
    return below(keyed, account ?? accounts, linesOf(account === undefined ? [name, 'mac'] : ['mac'], mac, ''));
  });
}

/** Undefined if there is none of that name. The last one takes the key `accounts` along. */
export function withoutAccount(text: string, name: string): string | undefined {
  const accounts = pairIn(parse(text).contents, 'accounts');
  const account = pairIn(accounts?.value, name);
  if (accounts === undefined || account === undefined || !isMap(accounts.value)) return undefined;
  const isLast = accounts.value.items.length === 1;
  const remove = (document: Document): unknown => document.deleteIn(isLast ? ['accounts'] : ['accounts', name]);
  const isFirst = accounts.value.items[0] === account;
  return edited(text, remove, () => without(text, isLast ? accounts : account, isFirst));
}

/** What it says then. Throws a TypeError where others refer to what is changed, or it refers to them. */
function afterwards(document: Document, change: (document: Document) => unknown): unknown {
  try {
    change(document);
    return document.toJS();
  } catch {
    throw new TypeError('an alias (*) in the file stands in the way; change it by hand');
  }
}

/** By lines where that means the same as doing it to the document, which would write all of it anew. */
function edited(
  text: string,
  change: (document: Document) => unknown,
  byLines: (document: Document) => string | undefined,
): string {
  const document = parse(text);
  const lines = byLines(document);
  const wanted = afterwards(document, change);
  if (lines !== undefined && meansTheSame(lines, wanted)) return lines;
  return document.toString({ lineWidth: 0 });
}

function meansTheSame(text: string, wanted: unknown): boolean {
  try {
    return isDeepStrictEqual(parse(text).toJS(), wanted);
  } catch {
    return false;
  }
}

function parse(text: string): Document {
  const document = parseDocument(text, { prettyErrors: false, schema: 'core', logLevel: 'error' });
  const [error] = document.errors;
  if (error !== undefined) throw new TypeError(`not valid YAML: ${error.message}`);
  return document;
}

function pairIn(map: unknown, key: string): Pair | undefined {
  return isMap(map) ? map.items.find((item) => isScalar(item.key) && String(item.key.value) === key) : undefined;
}

const step = '  ';

/** Each below the one before, and what the last one is. */
function linesOf(keys: readonly string[], value: string, indent: string): string {
  return keys
    .map((key, at) => `${indent}${step.repeat(at)}${key}:${at === keys.length - 1 ? ` ${value}` : ''}\n`)
    .join('');
}

function ending(text: string, lines: string): string {
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${lines}`;
}

/** As the last of what is below that key. */
function below(text: string, pair: Pair, lines: string): string | undefined {
  const { value } = pair;
  const items = isMap(value) ? value.items : [];
  const last = items.at(-1);
  const start = startOf(last ?? pair);
  if (start === undefined) return undefined;
  const indent = text.slice(lineAt(text, start), start) + (last === undefined ? step : '');
  if (indent.trim() !== '') return undefined;
  const end = lineAfter(text, endOf(last ?? { key: pair.key, value: undefined }));
  const indented = lines.replaceAll(/^/gm, indent).slice(0, -indent.length || undefined);
  return `${ending(text.slice(0, end), indented)}${text.slice(end)}`;
}

/** With its lines go the comments right above them; those above the first one may be about all of them. */
function without(text: string, pair: Pair, isFirst: boolean): string | undefined {
  const start = startOf(pair);
  if (start === undefined) return undefined;
  const from = lineAt(text, start);
  const above = isFirst ? '' : commentsAbove(text.slice(0, from), text.slice(from, start));
  return text.slice(0, from - above.length) + text.slice(lineAfter(text, endOf(pair)));
}

/** Of the same indent, without an empty line between. */
function commentsAbove(text: string, indent: string): string {
  const lines = text.split(/(?<=\n)/);
  const last = lines.findLastIndex((line) => !line.startsWith(`${indent}#`));
  return lines.slice(last + 1).join('');
}

function startOf({ key }: Pair): number | undefined {
  return isNode(key) ? key.range?.[0] : undefined;
}

/** Where the last of what it holds ends: a map's own end would take the comments behind it along. */
function endOf({ key, value }: Pick<Pair, 'key' | 'value'>): number {
  if (isMap(value) && value.flow !== true) {
    const last = value.items.at(-1);
    if (last !== undefined) return endOf(last);
  }
  const node = isNode(value) && value.range?.[1] !== value.range?.[0] ? value : key;
  return isNode(node) ? (node.range?.[1] ?? 0) : 0;
}

function lineAt(text: string, offset: number): number {
  return text.lastIndexOf('\n', offset - 1) + 1;
}

function lineAfter(text: string, offset: number): number {
  const end = text.indexOf('\n', text[offset - 1] === '\n' ? offset - 1 : offset);
  return end < 0 ? text.length : end + 1;
}
