// The configuration file: YAML, with the line of every key, so that errors can name it.
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { type Document, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, type YAMLError } from 'yaml';
import { ConfigError, type Path } from '../../config/problem.ts';
import type { Written } from '../../config/written.ts';

const largest = 2 ** 20;
const mostAliases = 100;
const mostErrors = 20;

/** Throws ConfigError if it cannot be read, is larger than 1 MiB, or is not one YAML document. */
export async function readConfigFile(path: string): Promise<Written> {
  const name = basename(path);
  return parseConfigFile(name, decode(name, await readBytes(path)));
}

/**
 * Where a key was written: `sampan.yaml:3`, or the line of the nearest one above it that is there.
 * Throws ConfigError.
 */
export function parseConfigFile(name: string, text: string): Written {
  const lines = new LineCounter();
  // `core`: a %YAML directive cannot bring back the types of YAML 1.1, where `no` is false.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, schema: 'core', logLevel: 'error' });
  const at = (offset: number): string => `${name}:${lines.linePos(offset).line}`;

  const wrong = [...document.errors, ...document.warnings].slice(0, mostErrors);
  if (wrong.length > 0) {
    throw new ConfigError(wrong.map((error) => ({ where: at(error.pos[0]), says: explain(error, text) })));
  }
  return { tree: toValue(document, name), where: (path) => at(offsetOf(document, path)) };
}

async function readBytes(path: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  try {
    // A stream, because a pipe can be a configuration file too; one byte more than allowed tells that it is too large.
    for await (const chunk of createReadStream(path, { end: largest })) chunks.push(chunk as Buffer);
  } catch (error) {
    throw new ConfigError([
      { where: path, says: `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})` },
    ]);
  }
  return Buffer.concat(chunks);
}

function decode(name: string, bytes: Buffer): string {
  if (bytes.length > largest) throw new ConfigError([{ where: name, says: 'is larger than 1 MiB' }]);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ConfigError([{ where: name, says: 'is not UTF-8 text' }]);
  }
}

function explain(error: YAMLError, text: string): string {
  if (error.code !== 'DUPLICATE_KEY') {
    return `not valid YAML: ${withoutValue(error)} (a value with special characters needs quotes)`;
  }
  const [key] = /^[^:\r\n]{0,80}/.exec(text.slice(error.pos[0])) ?? [];
  return `${key}: found twice, expected once`;
}

/** Behind a colon they quote the file, where a password may stand that has no quotes and needs them. */
function withoutValue({ message }: Error): string {
  return message.replace(/:.*$/s, '');
}

function toValue(document: Document, name: string): unknown {
  try {
    return document.toJS({ maxAliasCount: mostAliases });
  } catch (error) {
    // An alias of nothing, or so many that they would fill the memory.
    throw new ConfigError([{ where: name, says: `not valid YAML: ${withoutValue(error as Error)}` }]);
  }
}

/** Where the last step of the path that is there begins. */
function offsetOf(document: Document, path: Path): number {
  let node: unknown = document.contents;
  let offset = isNode(node) ? (node.range?.[0] ?? 0) : 0;
  for (const step of path) {
    let key: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === step);
      [key, node] = [pair?.key, pair?.value];
    } else if (isSeq(node)) {
      key = node = node.items[Number(step)];
    } else {
      break;
    }
    if (!isNode(key)) break;
    offset = key.range?.[0] ?? offset;
  }
  return offset;
}
