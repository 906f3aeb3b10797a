// WWW-Authenticate, as registries write it and as nobody should.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bearerChallenge, parseChallenges } from '../../../src/core/oci/challenge.ts';

const seeded = { seed: 20_261_120, numRuns: 500 };

function parsed(headers: string | readonly string[] | undefined): (readonly [string, Record<string, string>])[] {
  return parseChallenges(headers).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
}

test('a challenge is read whatever the order of its parameters', () => {
  const expected = { realm: 'https://auth.test/token', service: 'registry.test', scope: 'repository:a/b:pull,push' };
  for (const header of [
    'Bearer realm="https://auth.test/token",service="registry.test",scope="repository:a/b:pull,push"',
    'bearer  scope="repository:a/b:pull,push" , service=registry.test ,, REALM = "https://auth.test/token"',
    'BEARER service="registry.test",realm=https://auth.test/token,scope="repository:a/b:pull,push",realm="https://evil.test"',
  ]) {
    assert.deepEqual(parsed(header), [['bearer', expected]]);
  }
});

test('several challenges are told apart, in one header and in several', () => {
  const expected = [
    ['negotiate', {}],
    ['basic', { realm: 'a, "b"' }],
    ['ntlm', {}],
    ['bearer', { realm: 'https://auth.test' }],
  ];
  const basic = String.raw`Basic realm="a, \"b\""`;
  assert.deepEqual(parsed(`Negotiate, ${basic}, NTLM TlRMTVNTUAAC==, Bearer realm="https://auth.test"`), expected);
  assert.deepEqual(parsed(['Negotiate', basic, 'NTLM TlRMTVNTUAAC==', 'Bearer realm="https://auth.test"']), expected);
});

test('what is malformed ends its header, and what came before it counts', () => {
  assert.deepEqual(parsed(undefined), []);
  assert.deepEqual(parsed(['', ',,,', '"']), []);
  assert.deepEqual(parsed('Bearer realm="https://auth.test",service="open'), [
    ['bearer', { realm: 'https://auth.test' }],
  ]);
  assert.deepEqual(parsed('Bearer realm="https://auth.test" Basic'), [['bearer', { realm: 'https://auth.test' }]]);
  assert.deepEqual(parsed('Bearer __proto__="x"').at(0)?.[0], 'bearer');
});

test('nothing that a header can hold makes the parser throw or lose its way', () => {
  const hostile = fc.array(
    fc.constantFrom('Bearer ', 'realm', '=', '"', '\\', ',', ' ', '\t', 'a==', 'é', '\0', 'x=y'),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        hostile.map((parts) => parts.join('')),
      ),
      (header) => {
        for (const { scheme } of parseChallenges([header, header])) assert.match(scheme, /^[!#$%&'*+\-.^_`|~0-9a-z]+$/);
      },
    ),
    seeded,
  );
});

test('a challenge that was written is read again as it was', () => {
  const value = fc.string({ unit: 'grapheme-ascii' });
  fc.assert(
    fc.property(value, value, value, (realm, service, scope) => {
      const written = bearerChallenge({ realm, service, scope, error: undefined });
      assert.deepEqual(parsed(written), [['bearer', { realm, service, scope }]]);
      assert.deepEqual(parsed(`Basic realm="x", ${written}`)[1], ['bearer', { realm, service, scope }]);
    }),
    seeded,
  );
});

test('what is written can never end its header', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (realm) => {
      assert.match(bearerChallenge({ realm }), /^Bearer realm="[\x20-\x7e]*"$/);
    }),
    seeded,
  );
});

test('long headers are read in linear time', () => {
  const long = 64 * 1024;
  for (const header of [
    'a '.repeat(long),
    `Bearer ${'a'.repeat(long)}`,
    `Bearer ${' '.repeat(long)}x`,
    `x="${'\\'.repeat(long)}`,
    'a=b,'.repeat(long),
  ]) {
    const begun = process.cpuUsage().user;
    parseChallenges(header);
    assert.ok(process.cpuUsage().user - begun < 2_000_000, 'takes microseconds, not seconds');
  }
});
