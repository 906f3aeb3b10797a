// JSON edited in place: it means what was meant and what was added, and every other character stays.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { memberOf, parseJson, withFirstItem, withMember } from '../../../src/core/clients/json-text.ts';
import { Malformed } from '../../../src/core/clients/plan.ts';
import { daemonJsons, meaningOf, replacedOnce } from './daemon-json.ts';

const seeded = { seed: 20_261_120, numRuns: 500 };

function set(text: string, key: string, value: unknown): string {
  return withMember(text, parseJson(text), key, value);
}

test('whatever the file looks like, a member is added and nothing else changes', () => {
  fc.assert(
    fc.property(daemonJsons, fc.constantFrom(['http://m'], { 'http-proxy': 'http://p' }), (text, value) => {
      const edited = set(text, 'a new key', value);
      assert.deepEqual(meaningOf(edited), { ...meaningOf(text), 'a new key': value });
      assert.match(replacedOnce(text, edited).taken, /^[ \t\r\n]*$/);
      assert.deepEqual(Object.keys(meaningOf(edited)), [...Object.keys(meaningOf(text)), 'a new key']);
    }),
    seeded,
  );
});

test('a value is replaced where it stands', () => {
  fc.assert(
    fc.property(daemonJsons, (text) => {
      const key = Object.keys(meaningOf(text))[0];
      fc.pre(key !== undefined);
      const edited = set(text, key, 'new');
      assert.deepEqual(meaningOf(edited), { ...meaningOf(text), [key]: 'new' });
      assert.deepEqual(Object.keys(meaningOf(edited)), Object.keys(meaningOf(text)));
      const { taken } = replacedOnce(text, edited);
      const old = memberOf(parseJson(text), key);
      assert.ok(text.slice(old?.start, old?.end).includes(taken), taken);
    }),
    seeded,
  );
});

const added: readonly (readonly [before: string, after: string])[] = [
  ['{}', '{\n  "k": ["v"]\n}'],
  ['{\n}\n', '{\n  "k": ["v"]\n}\n'],
  ['{"a":1}', '{"a":1,"k":["v"]}'],
  ['{ "a": 1 }', '{ "a": 1, "k": ["v"] }'],
  ['{\n\t"a" : 1\n}\n', '{\n\t"a" : 1,\n\t"k" : ["v"]\n}\n'],
  ['{\r\n    "a": {}\r\n}', '{\r\n    "a": {},\r\n    "k": ["v"]\r\n}'],
  ['{\n  "k": [],\n  "b": 2\n}', '{\n  "k": ["v"],\n  "b": 2\n}'],
];
for (const [before, after] of added) {
  test(`${JSON.stringify(before)} gets a member in its own style`, () => assert.equal(set(before, 'k', ['v']), after));
}

test('an object inside is indented as deep as it stands', () => {
  assert.equal(
    set('{\n    "a": 1\n}\n', 'proxies', { x: '1', y: '2' }),
    '{\n    "a": 1,\n    "proxies": {\n        "x": "1",\n        "y": "2"\n    }\n}\n',
  );
  assert.equal(set('{\r\n "a": 1\r\n}', 'p', { x: '1' }), '{\r\n "a": 1,\r\n "p": {\r\n  "x": "1"\r\n }\r\n}');
  const text = '{\n\t"proxies": {}\n}';
  const inner = memberOf(parseJson(text), 'proxies') ?? assert.fail();
  assert.equal(withMember(text, inner, 'x', '1'), '{\n\t"proxies": {\n\t\t"x": "1"\n\t}\n}');
});

test('a string goes before the others of a list, in its style', () => {
  const first = (text: string) => withFirstItem(text, parseJson(text), 'n');
  assert.equal(first('[]'), '["n"]');
  assert.equal(first('["a"]'), '["n", "a"]');
  assert.equal(first('[\n  "a",\n  "b"\n]'), '[\n  "n",\n  "a",\n  "b"\n]');
});

test('of two members of one name the last counts, as it does for Go', () => {
  assert.equal(set('{"k":1,"k":2}', 'k', 3), '{"k":1,"k":3}');
});

test('what JSON.parse refuses is refused, and nothing else', () => {
  const pieces = fc.constantFrom(
    ...'{}[],:"\\ \n'.split(''),
    '"a"',
    '-',
    '0',
    '1',
    '.5',
    'e9',
    'true',
    'null',
    '\\u00',
  );
  const rubble = fc.array(pieces, { maxLength: 12 }).map((all) => all.join(''));
  fc.assert(
    fc.property(fc.oneof(rubble, fc.json()), (text) => {
      let valid = true;
      try {
        JSON.parse(text);
      } catch {
        valid = false;
      }
      if (valid) parseJson(text);
      else assert.throws(() => parseJson(text), Malformed);
    }),
    { ...seeded, numRuns: 3000 },
  );
});

const broken: readonly (readonly [text: string, line: number, column: number, message: string])[] = [
  ['{\n  "a": 1,\n}\n', 3, 1, 'found "}", expected a string in quotes'],
  ['{\n  "a": 1\n  "b": 2\n}', 3, 3, 'found "\\"", expected a comma or }'],
  ['{\n  // no\n}', 2, 3, 'found "/", expected a string in quotes'],
  ['{"a": tru}', 1, 7, 'found "t", expected a value'],
  ['{"a": 1', 1, 8, 'found the end of the file, expected a comma or }'],
  ['{} {}', 1, 4, 'found "{", expected the end of the file'],
];
for (const [text, line, column, message] of broken) {
  test(`${JSON.stringify(text)} is broken at ${line}:${column}`, () => {
    assert.throws(() => parseJson(text), { line, column, message });
  });
}
