import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { Accounts, isNamed, macOfSecret } from '../../../src/core/access/accounts.ts';
import { Guesses } from '../../../src/core/access/guesses.ts';
import { isSame, type Mac } from '../../../src/core/access/mac.ts';
import { parsePattern } from '../../../src/core/access/pattern.ts';
import { createSecret } from '../../../src/core/access/secret.ts';

const mac: Mac = (text) => createHmac('sha256', 'key').update(text).digest();
const secretOf = (byte: number) => createSecret(new Uint8Array(16).fill(byte));

describe('accounts', () => {
  test('are found by their secret, and by nobody else’s', async () => {
    const entries = [1, 2].map(async (byte) => ({
      name: `a${byte}`,
      mac: await macOfSecret(mac, secretOf(byte)),
      allow: [],
    }));
    const accounts = new Accounts(await Promise.all(entries), mac);
    assert.equal((await accounts.bySecret(secretOf(2), '192.0.2.1'))?.name, 'a2');
    assert.equal(await accounts.bySecret(secretOf(3), '192.0.2.1'), undefined);
    assert.equal(accounts.byName('a1', '192.0.2.1')?.name, 'a1');
    assert.equal(accounts.byName('a3', '192.0.2.1'), undefined);
  });

  test('two MACs are the same if all of their bytes are', () => {
    const bytes = new Uint8Array([1, 2, 3]);
    assert.ok(isSame(bytes, new Uint8Array([1, 2, 3])));
    for (const other of [[], [1, 2], [1, 2, 4], [0, 2, 3], [1, 2, 3, 0]]) {
      assert.ok(!isSame(bytes, new Uint8Array(other)));
    }
  });

  for (const [pattern, name, named] of [
    ['docker.io/acme/app', 'acme/app', true],
    ['docker.io/acme/app', 'acme/app2', false],
    ['docker.io/acme/*', 'acme/app', true],
    ['docker.io/acme/*', 'acme/app/sub', false],
    ['docker.io/acme/*', 'acme', false],
    ['docker.io/acme/**', 'acme/app/sub', true],
    ['docker.io/acme/**', 'acmeevil/app', false],
    ['docker.io/acme/web-*', 'acme/web-1', true],
    ['dockerxio/acme/*', 'acme/app', false],
    ['ghcr.io/acme/*', 'acme/app', false],
  ] as const) {
    test(`whose rules name ${pattern} ${named ? 'have' : 'have not'} docker.io/${name}`, () => {
      const found = parsePattern(pattern);
      assert.ok(found);
      assert.equal(isNamed({ name: 'a', allow: [found] }, { registry: 'docker.io', name }), named);
    });
  }
});

describe('guesses', () => {
  test('are listened to ten times a minute from one address, and then from none of its network', () => {
    let now = 1_000_000;
    const guesses = new Guesses(() => now);
    for (let failures = 0; failures < 10; failures += 1) {
      guesses.check('account', '2001:db8::1');
      guesses.failed('account', `2001:db8::${failures}`);
    }
    assert.throws(() => guesses.check('account', '2001:db8::ffff'), { status: 429, headers: { 'retry-after': '60' } });
    guesses.check('account', '2001:db8:0:1::1');
    guesses.check('account', '192.0.2.1');
    now += 60_000;
    guesses.check('account', '2001:db8::1');
  });

  test('of many addresses take no more memory than of some', () => {
    const guesses = new Guesses(() => 0);
    for (let address = 0; address < 30_000; address += 1) {
      guesses.failed('account', `10.0.${address >> 8}.${address & 255}`);
    }
    for (let failures = 0; failures < 10; failures += 1) guesses.failed('account', '192.0.2.1');
    assert.throws(() => guesses.check('account', '192.0.2.1'), { status: 429 });
  });
});
