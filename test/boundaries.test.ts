// The fences of the house: who may import whom, what core must not touch, how long a file may be, and what nothing is called.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { type Row, table } from './boundaries.ts';

const forbiddenInCore =
  /\b(?:Date\.now\(|new Date\(\)|Math\.random\(|console\.|process\.|setTimeout\(|setInterval\(|setImmediate\(|queueMicrotask\()|(?<![.\w#])fetch\(/g;
const forbiddenName = /(?:^|\/)(?:utils?|helpers?|common|types)(?:\.[a-z]+)?(?=\/|$)/;
const forbiddenDeclaration = /\b(?:class|interface|type|function)\s+(\w*(?:Manager|Service|Impl))\b/g;
const longestFile = 300;

interface Import {
  readonly of: string;
  readonly typeOnly: boolean;
}

// Comments go, and the quoted strings stay whole, so that neither hides the other. A regular expression may hold quotes.
const tokens =
  /(?<comment>\/\*[\s\S]*?\*\/|\/\/[^\n]*)|(?<=[=(,:[!&|?{};]\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g;
const statement =
  /(?:^|[;}\n])\s*(?:import|export)\s+(?<type>type\s+(?!from\s*['"]))?(?:[\w$*{][^'";=()]*?\sfrom\s*)?['"](?<of>[^'"]+)['"]/g;
const dynamic = /\b(?:import|require)\s*\(\s*(?:['"](?<of>[^'"]+)['"])?/g;

function withoutComments(source: string): string {
  return source.replaceAll(tokens, (token: string, comment: string | undefined) =>
    comment === undefined ? token : ' ',
  );
}

function withoutStrings(source: string): string {
  return source.replaceAll(tokens, (token: string) => (/^['"]/.test(token) ? "''" : token));
}

function importsOf(code: string): readonly Import[] {
  const found = [...code.matchAll(statement), ...code.matchAll(dynamic)];
  return found.map(({ groups = {} }) => ({ of: groups['of'] ?? '(computed)', typeOnly: groups['type'] !== undefined }));
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function rowFor(path: string): [folder: string, row: Row] | undefined {
  const rows = Object.entries(table).filter(([folder]) => isBelow(path, folder));
  return rows.toSorted(([one], [other]) => other.length - one.length)[0];
}

/** Where a relative import leads, below `src/`. */
function targetOf(from: string, { of }: Import): string {
  return normalize(join(dirname(from), of));
}

function mayImport(from: string, wanted: Import): boolean {
  const found = rowFor(from);
  if (found === undefined) return false;
  const [folder, row] = found;
  if (!wanted.of.startsWith('.')) {
    if (wanted.of === '(computed)') return false;
    return (
      row.outside !== undefined &&
      (wanted.of.startsWith('node:') ? row.outside.startsWith('node:') : row.outside.endsWith('packages'))
    );
  }
  const target = targetOf(from, wanted);
  const below = (place: string) => isBelow(target, place);
  if (wanted.typeOnly && row.types?.some(below)) return true;
  return !row.never?.some(below) && (below(folder) || row.may.some(below));
}

/** What is wrong with one file of `src/`; its path is told from there. */
function trespasses(path: string, source: string): readonly string[] {
  const code = withoutComments(source);
  const imports = importsOf(code).filter((wanted) => !mayImport(path, wanted));
  const touched = path.startsWith('core/') ? (withoutStrings(code).match(forbiddenInCore) ?? []) : [];
  const named = [...withoutStrings(code).matchAll(forbiddenDeclaration)].map(([, name]) => `calls something ${name}`);
  return [
    ...imports.map((wanted) => `may not import ${wanted.of}${wanted.typeOnly ? ' (type)' : ''}`),
    ...touched.map((what) => `may not use ${what}`),
    ...named,
  ];
}

/** What is wrong with any file of the tree. */
function untidiness(path: string, source: string): readonly string[] {
  const lines = source.split('\n').length - 1;
  return [
    ...(lines > longestFile ? [`has ${lines} lines, ${longestFile} are the most`] : []),
    ...(forbiddenName.test(path) ? ['has a name that says nothing'] : []),
  ];
}

/** The first circle of imports, as the files on it, or undefined. Types count: a circle of types is one job in two files. */
function findCycle(files: ReadonlyMap<string, string>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return undefined;
    const imports = importsOf(withoutComments(files.get(path) ?? '')).filter(({ of }) => of.startsWith('.'));
    const cycle = imports
      .map((wanted) => visit(targetOf(path, wanted), [...way, path]))
      .find((found) => found !== undefined);
    done.add(path);
    return cycle;
  };
  return [...files.keys()].map((path) => visit(path, [])).find((found) => found !== undefined);
}

const root = join(import.meta.dirname, '..');
const all = globSync('{src,test,bench}/**/*.{ts,js,css,html}', { cwd: root }).map(
  (path) => [path, readFileSync(join(root, path), 'utf8')] as const,
);
const sources = new Map(
  all.filter(([path]) => /^src\/.*\.[tj]s$/.test(path)).map(([path, source]) => [path.slice('src/'.length), source]),
);
const told = (path: string, complaints: readonly string[]): readonly string[] =>
  complaints.map((complaint) => `${path} ${complaint}`);

describe('the house', () => {
  test('there is something to look at', () => assert.ok(sources.size > 10));
  test('everybody imports only what the table allows, and core touches nothing of the world', () => {
    assert.deepEqual(
      [...sources].flatMap(([path, source]) => told(path, trespasses(path, source))),
      [],
    );
  });
  test('no imports go in a circle', () => assert.deepEqual(findCycle(sources), undefined));
  test('files are short and have names that say something', () => {
    assert.deepEqual(
      all.flatMap(([path, source]) => told(path, untidiness(path, source))),
      [],
    );
  });
});

describe('the fences hold', () => {
  const allowed: readonly (readonly [path: string, source: string])[] = [
    ['core/oci/a.ts', "import { b } from './b.ts';\nexport { b };"],
    ['core/mirror/a.ts', "import { b } from '../oci/b.ts';\nimport { c } from '../access/c.ts';"],
    [
      'core/upstream/a.ts',
      "import type { Book } from '../mirror/ports.ts';\nimport type { Caller } from '../access/caller.ts';",
    ],
    [
      'core/upstream/a.ts',
      'const fetched = await next(request); this.fetch(request); this.#fetch(request); prefetch(x);',
    ],
    [
      'core/oci/a.ts',
      '// Date.now() and console.log\n/* import x from "node:fs" */ const a = "http://process.example"; const b = 1;',
    ],
    ['core/oci/a.ts', "const a = 'new Date() is not called'; const b = /['\"]\\/\\//;"],
    ['core/oci/a.ts', 'const a = new Date(0); const imports = 1; important(2);'],
    ['core/index.ts', "export * from './mirror/mirror.ts';"],
    ['node/store/a.ts', "import { open } from 'node:fs/promises';\nimport { x } from '../../core/mirror/ports.ts';"],
    [
      'node/http/server.ts',
      "import pino from 'pino';\nimport { send } from './send.ts';\nimport { parsePull } from '../../core/oci/pull.ts';",
    ],
    [
      'node/cli/main.ts',
      "import { Command } from 'commander';\nimport { start } from '../app.ts';\nimport { x } from '../config/file.ts';",
    ],
    ['node/status.ts', "import type { Usage } from './store/store.ts';"],
    ['node/app.ts', "import { x } from './store/x.ts';\nimport { y } from './proxy/y.ts';"],
    ['node/a.ts', 'class Managers {}\nconst tokenService = 1;'],
  ];
  for (const [path, source] of allowed) {
    test(`${path} may say ${JSON.stringify(source)}`, () => assert.deepEqual(trespasses(path, source), []));
  }

  const forbidden: readonly (readonly [path: string, source: string])[] = [
    ['core/oci/a.ts', "import { x } from '../access/x.ts';"],
    ['core/oci/a.ts', "import type { x } from '../mirror/ports.ts';"],
    ['core/oci/a.ts', "import {\n  x,\n  type Y,\n} from '../access/x.ts';"],
    ['core/oci/a.ts', 'import x from "node:fs";'],
    ['core/oci/a.ts', "import 'node:fs';"],
    ['core/oci/a.ts', "import * as z from 'zod';"],
    ['core/oci/a.ts', "import type { z } from 'zod';"],
    ['core/oci/a.ts', "export * from '../mirror/mirror.ts';"],
    ['core/oci/a.ts', "export { x } from '../mirror/mirror.ts';"],
    ['core/oci/a.ts', "const x = await import('node:fs');"],
    ['core/oci/a.ts', 'const x = await import(name);'],
    ['core/oci/a.ts', "/* a */ import { x } from 'zod'; // b"],
    ['core/oci/a.ts', "const a = /'/; import { x } from 'zod'; const b = /'/;"],
    ['core/oci/a.ts', "import { x } from './../../node/x.ts';"],
    ['core/ocicat/a.ts', "import { x } from '../oci/x.ts';"],
    ['core/access/a.ts', "import { x } from '../mirror/x.ts';"],
    ['core/mirror/a.ts', "import { x } from '../upstream/x.ts';"],
    ['core/mirror/a.ts', "import type { x } from '../upstream/x.ts';"],
    ['core/upstream/a.ts', "import { x } from '../mirror/ports.ts';"],
    ['core/upstream/a.ts', "import { type X } from '../mirror/ports.ts';"],
    ['core/upstream/a.ts', "import type { X } from '../mirror/mirror.ts';"],
    ['core/upstream/a.ts', "import { x } from '../access/admit.ts';"],
    ['core/a.ts', "import { x } from './oci/x.ts';"],
    ['node/store/a.ts', "import { x } from '../http/server.ts';"],
    ['node/proxy/a.ts', "import { x } from '../store/x.ts';"],
    ['node/cli/a.ts', "import { x } from '../metrics.ts';"],
    ['node/http/a.ts', "import { x } from '../metrics.ts';"],
    ['node/http/a.ts', "import { x } from '../log/log.ts';"],
    ['node/cli/a.ts', "import type { x } from '../store/x.ts';"],
    ['node/fetch.ts', "import { x } from './app.ts';"],
    ['node/fetch.ts', "import { x } from './store/x.ts';"],
    ['node/fetch.ts', "import { x } from '../worker/x.ts';"],
    ['config/a.ts', "import { x } from 'node:fs';"],
    ['config/a.ts', "import { x } from '../node/x.ts';"],
    ['worker/mirror.ts', "import { x } from '../node/x.ts';"],
    ['worker/mirror.ts', "import { x } from 'node:fs';"],
    ['dashboard/dashboard.js', "import { x } from '../core/oci/x.ts';"],
    ['elsewhere/a.ts', "import { x } from '../core/oci/x.ts';"],
    ['core/oci/a.ts', 'const a = Date.now();'],
    ['core/oci/a.ts', 'const a = new Date();'],
    ['core/oci/a.ts', 'const a = `${Date.now()}`;'],
    ['core/oci/a.ts', 'const a = Math.random();'],
    ['core/oci/a.ts', 'console.log(1);'],
    ['core/oci/a.ts', 'const a = await fetch(url);'],
    ['core/oci/a.ts', 'setTimeout(f, 1);'],
    ['core/oci/a.ts', 'const a = process.env;'],
    ['node/a.ts', 'export class CacheManager {}'],
    ['node/a.ts', 'interface BlobService {}'],
    ['node/a.ts', 'type StoreImpl = 1;'],
  ];
  for (const [path, source] of forbidden) {
    test(`${path} may not say ${JSON.stringify(source)}`, () => assert.equal(trespasses(path, source).length, 1));
  }

  test('a circle is found, through types too, and a diamond is none', () => {
    const cycle = new Map([
      ['a/a.ts', "import { b } from './b.ts';"],
      ['a/b.ts', "import type { c } from '../c/c.ts';"],
      ['c/c.ts', "import { a } from '../a/a.ts';"],
    ]);
    assert.deepEqual(findCycle(cycle), ['a/a.ts', 'a/b.ts', 'c/c.ts', 'a/a.ts']);
    const diamond = new Map([
      ['a.ts', "import './b.ts';\nimport './c.ts';"],
      ['b.ts', "import './d.ts';"],
      ['c.ts', "import './d.ts';"],
      ['d.ts', ''],
    ]);
    assert.equal(findCycle(diamond), undefined);
  });

  test('long files and empty names are found', () => {
    assert.deepEqual(untidiness('src/core/a.ts', 'x\n'.repeat(300)), []);
    assert.equal(untidiness('src/core/a.ts', 'x\n'.repeat(301)).length, 1);
    for (const path of [
      'src/utils.ts',
      'src/core/utils/a.ts',
      'src/node/helpers.ts',
      'test/common/a.ts',
      'src/core/types.ts',
    ]) {
      assert.equal(untidiness(path, '').length, 1, path);
    }
    for (const path of ['src/core/media-types.ts', 'src/core/commons.ts', 'src/core/subtypes/a.ts']) {
      assert.deepEqual(untidiness(path, ''), [], path);
    }
  });
});
