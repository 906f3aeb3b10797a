// What is a DSN, and where it leads.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDsn } from '../../../src/core/edge/dsn.ts';

test('a DSN leads to the envelopes of its project', () => {
  for (const [dsn, envelopes] of [
    ['https://abc@o1.ingest.sentry.test/42', 'https://o1.ingest.sentry.test/api/42/envelope/'],
    ['http://abc@127.0.0.1:9000/1', 'http://127.0.0.1:9000/api/1/envelope/'],
    ['https://abc:secret@sentry.test/one/two/3', 'https://sentry.test/one/two/api/3/envelope/'],
    ['https://abc@[2001:db8::1]:8443/9', 'https://[2001:db8::1]:8443/api/9/envelope/'],
  ] as const) {
    assert.deepEqual(parseDsn(dsn), { envelopes, key: 'abc' });
  }
});

test('everything else is none', () => {
  for (const found of [
    undefined,
    7,
    '',
    'abc',
    'https://sentry.test/42',
    'https://abc@sentry.test/',
    'https://abc@sentry.test/project',
    'https://abc@sentry.test/42/',
    'https://abc@sentry.test/42?x',
    'ftp://abc@sentry.test/42',
    'https://a,b@sentry.test/42',
  ]) {
    assert.equal(parseDsn(found), undefined, String(found));
  }
});
