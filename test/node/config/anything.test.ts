// Whatever is given as a configuration, what comes out is a Config or a ConfigError.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { readEnvironment } from '../../../src/node/config/environment.ts';
import { check } from '../../../src/config/check.ts';
import { disagreements } from '../../../src/node/config/disagreements.ts';
import { schema } from '../../../src/node/config/schema.ts';
import { parseConfigFile } from '../../../src/node/config/file.ts';
import { ConfigError } from '../../../src/config/problem.ts';
import { layer } from '../../../src/config/layer.ts';

const rules = { schema, disagreements };
const words =
  'listen data storage limit access networks registries docker.io *.pkg.dev endpoints mirrors realms aliases redirects catalogue ' +
  'hosts resolve dns via admin log level stop_within fresh_for __proto__ <<';
const keys = fc.constantFrom(...words.split(' '), '');
const texts = 'open 50GB 1m 0.0.0.0:5050 [::1]:0 10.0.0.0/8 https://a.b docker.io'.split(' ');
const values = fc.oneof(fc.constantFrom(...texts, null, true, 0, -1, 50e9, Infinity), fc.string());
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    values,
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.array(fc.tuple(keys, tie('tree')), { maxLength: 5 }).map(toMap),
  ),
}));

/** As own properties, `__proto__` too. */
function toMap(entries: readonly (readonly [string, unknown])[]): object {
  return Object.fromEntries(entries);
}

function verdict(yaml: string): void {
  try {
    const { settings, problems } = check(layer(parseConfigFile('sampan.yaml', yaml), []), rules);
    assert.ok(settings !== undefined || problems.length > 0);
    for (const { where, says } of problems) {
      assert.match(`${where}: ${says}`, /^sampan\.yaml:[1-9]\d*: (?:.|\n)*(?:found|expected)/);
    }
  } catch (error) {
    assert.ok(error instanceof ConfigError, error as Error);
  }
}

test('any text is a configuration or a ConfigError', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), verdict), { numRuns: 300 });
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'a:-[]{}&*!|>\'"%#?, \n\t~'.split('')) }), verdict), {
    numRuns: 1000,
  });
});

test('any tree under known keys is a configuration or a ConfigError', () => {
  fc.assert(
    fc.property(tree, (value) => verdict(stringify(value))),
    { numRuns: 1500 },
  );
});

test('a tree that contains itself is a ConfigError', () => {
  for (const yaml of [
    '&a [*a]',
    'registries: &a { docker.io: *a }',
    'access: &a { networks: *a }',
    '&a { storage: *a }',
  ]) {
    assert.notEqual(check(layer(parseConfigFile('sampan.yaml', yaml), []), rules).problems.length, 0);
  }
});

test('any value of any variable is taken or complained of', () => {
  const names = fc.constantFrom(
    'SAMPAN_LISTEN',
    'SAMPAN_REGISTRIES',
    'SAMPAN_ACCESS',
    'SAMPAN_STORAGE_LIMIT',
    'SAMPAN_NONE',
  );
  const property = fc.property(names, fc.string({ unit: 'binary' }), (name, text) => {
    const { settings, problems } = readEnvironment({ [name]: text });
    const { settings: whole, problems: wrong } = check(layer(undefined, settings), rules);
    assert.ok(whole !== undefined || wrong.length + problems.length > 0);
  });
  fc.assert(property, { numRuns: 500 });
});
