// The guard's configuration: what docs/guard.md shows is right, and whatever is given, there is a guard.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfigError } from '../../src/config/problem.ts';
import { readGuardConfig } from '../../src/worker/guard-config.ts';

/** As if `found` were the variable SAMPAN_CONFIG, beside secrets. */
function read(found: unknown, secrets: Readonly<Record<string, string>> = {}) {
  return readGuardConfig((name) => (name === 'SAMPAN_CONFIG' ? found : secrets[name]));
}

const usual = {
  headers: { protocol: 'x-client-ssl-protocol', cipher: 'x-client-ssl-cipher', secret: 'x-edge-secret' },
  edgeSecret: undefined,
  drill: undefined,
};

test('nothing at all is a configuration, which fails open and tells nobody', () => {
  for (const found of [undefined, {}, '', '{}', null]) {
    assert.deepEqual(read(found), { fail: 'open', sentry: undefined, untold: undefined, task: usual });
  }
});

test('every example of the guide is right', () => {
  const page = readFileSync(new URL('../../docs/guard.md', import.meta.url), 'utf8');
  const examples = [...page.matchAll(/^ *```json\n([^]*?)^ *```$/gm)].map(([, json = '']) => json);
  assert.ok(examples.length > 0);
  for (const json of examples) assert.ok(!(read(json).task instanceof ConfigError), json);
});

test('the secrets are variables of their own', () => {
  const secrets = { EDGE_SECRET: 'e'.repeat(32), SENTRY_DSN: 'https://abc@sentry.test/42' };
  const { sentry, task } = read({ sentry: { environment: 'staging' } }, secrets);
  assert.deepEqual(task, { ...usual, edgeSecret: secrets.EDGE_SECRET });
  assert.deepEqual([sentry?.environment, sentry?.dsn.key], ['staging', 'abc']);
});

test('no secret is in what is said of a wrong one', () => {
  const { task, untold } = read({}, { EDGE_SECRET: 'too-short', SENTRY_DSN: 'https://swordfish@sentry.test/none' });
  assert.ok(task instanceof ConfigError);
  assert.match(task.message, /EDGE_SECRET: edge_secret: found something else, expected 32/);
  assert.ok(untold instanceof ConfigError);
  assert.match(untold.message, /SENTRY_DSN: sentry\.dsn: found something else, expected a DSN/);
});

test('what is wrong about Sentry costs Sentry, and nothing else', () => {
  for (const wrong of [7, 'x', [], { dsn: 'none' }, { sample_rate: 2 }, { sample: 1 }, { environment: {} }]) {
    const { fail, sentry, untold, task } = read({ fail: 'closed', sentry: wrong });
    assert.deepEqual([fail, sentry, task], ['closed', undefined, usual], JSON.stringify(wrong));
    assert.match(untold?.message ?? '', /SAMPAN_CONFIG: sentry/);
  }
  // And the other way round: a guard that is wrong tells so.
  const { sentry, untold, task } = read({ fial: 'open' }, { SENTRY_DSN: 'https://abc@sentry.test/42' });
  assert.ok(sentry !== undefined && untold === undefined && task instanceof ConfigError);
  assert.match(task.message, /fial: found an unknown key/);
});

test('a header that means something to others is not set', () => {
  const named = (protocol: string) => read({ headers: { protocol } }).task;
  for (const name of [
    'Expect',
    'Host',
    'Content-Length',
    'Connection',
    'Upgrade',
    'Cookie',
    'x',
    'X-',
    'X-A B',
    'X_Tls',
  ]) {
    const task = named(name);
    assert.ok(task instanceof ConfigError, name);
    assert.match(task.message, /headers\.protocol: found ".+", expected the name of a header that begins with X-/);
  }
  assert.ok(!(named('X-TLS') instanceof ConfigError));
});

test('whatever is given, it is known how the guard fails', () => {
  const likely = fc.record({ fail: fc.constantFrom('open', 'closed', 'other'), drill: fc.anything() });
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.json(), likely), (found) => {
      assert.ok(['open', 'closed'].includes(read(found).fail));
    }),
    { seed: 1, numRuns: 500 },
  );
  assert.equal(read({ fail: 'closed', more: 1 }).fail, 'closed');
});
