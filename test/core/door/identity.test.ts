import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { Accounts, macOfSecret } from '../../../src/core/access/accounts.ts';
import { Guesses } from '../../../src/core/access/guesses.ts';
import type { Mac } from '../../../src/core/access/mac.ts';
import { parseNetwork } from '../../../src/core/access/networks.ts';
import { Passwords } from '../../../src/core/access/passwords.ts';
import { createSecret } from '../../../src/core/access/secret.ts';
import { identify, isOurs } from '../../../src/core/door/identity.ts';

const mac: Mac = (text) => createHmac('sha256', 'key').update(text).digest();
const secret = createSecret(new Uint8Array(16).fill(1));
const here = '192.0.2.1';

function basic(user: string, password: string) {
  return { kind: 'basic', user, password } as const;
}

async function partsWith(now: () => number = () => 0) {
  const compared: string[] = [];
  const compare = async (password: string, hash: string) => {
    compared.push(password);
    return password === hash;
  };
  const networks = [parseNetwork('192.0.2.0/24')];
  const accounts = new Accounts(
    [
      { name: 'alice', allow: [] },
      { name: 'office', allow: [], networks },
      { name: 'robot', allow: [], networks, mac: await macOfSecret(mac, secret) },
    ],
    mac,
  );
  const entries = ['alice', 'office', 'gone'].map((name) => ({ name, hash: `${name}1` }));
  const passwords = new Passwords(entries, mac, compare, now);
  return { accounts, passwords, guesses: new Guesses(now), compared };
}

/** Their passwords are looked at until that is called. */
async function slowParts() {
  const parts = await partsWith();
  const compared: string[] = [];
  const { promise: over, resolve: finish } = Promise.withResolvers<void>();
  const compare = async (password: string, hash: string) => {
    compared.push(password);
    await over;
    return password === hash;
  };
  const names = [...Array.from({ length: 20 }, (_, at) => `user${at}`), 'alice', 'office'];
  const networks = [parseNetwork('192.0.2.0/24')];
  const entries = names.map((name) => ({ name, allow: [], ...(name === 'office' && { networks }) }));
  const hashes = names.map((name) => ({ name, hash: `${name}1` }));
  const passwords = new Passwords(hashes, mac, compare, () => 0);
  return { ...parts, accounts: new Accounts(entries, mac), passwords, compared, finish };
}

async function answersTo(asked: readonly Promise<unknown>[]): Promise<unknown[]> {
  const all = await Promise.allSettled(asked);
  return all.map((each) => (each.status === 'fulfilled' ? 'in' : (each.reason as { code: string }).code));
}

describe('who shows a login', () => {
  test('is the account whose name and password, or secret, it is', async () => {
    const parts = await partsWith();
    assert.equal((await identify(parts, basic('alice', 'alice1'), here))?.name, 'alice');
    assert.equal((await identify(parts, basic('robot', secret), here))?.name, 'robot');
    for (const wrong of [
      basic('alice', 'x'),
      basic('nobody', 'alice1'),
      basic('gone', 'gone1'),
      basic('alice', secret),
    ]) {
      await assert.rejects(identify(parts, wrong, here), { code: 'UNAUTHORIZED' });
    }
  });

  test('is nobody without a login, with a token, or where there are no passwords', async () => {
    const parts = await partsWith();
    assert.equal(await identify(parts, undefined, here), undefined);
    assert.equal(await identify(parts, { kind: 'bearer', token: 'x' }, here), undefined);
    assert.equal(await identify({ ...parts, passwords: undefined }, basic('alice', 'alice1'), here), undefined);
  });

  test('and comes from elsewhere than the account counts from, hears what everybody hears who is wrong', async () => {
    const parts = await partsWith();
    for (const login of [basic('office', 'office1'), basic('robot', secret)]) {
      assert.ok(await identify(parts, login, here));
      const told = await identify(parts, login, '198.51.100.1').catch((error: unknown) => error);
      const wrong = await identify(parts, basic('office', 'x'), '198.51.100.1').catch((error: unknown) => error);
      assert.deepEqual(told, wrong);
    }
  });

  test('guesses ten times a minute, and then no work is done for his address, nor is a right password listened to', async () => {
    let now = 0;
    const parts = await partsWith(() => now);
    for (let guess = 0; guess < 10; guess += 1) {
      await assert.rejects(identify(parts, basic(`user${guess}`, 'x'), here), { code: 'UNAUTHORIZED' });
    }
    parts.compared.length = 0;
    await assert.rejects(identify(parts, basic('alice', 'alice1'), here), { code: 'TOOMANYREQUESTS' });
    assert.deepEqual(parts.compared, []);
    assert.equal((await identify(parts, basic('robot', secret), here))?.name, 'robot', 'nobody guesses a secret');
    assert.equal((await identify(parts, basic('alice', 'alice1'), '192.0.2.2'))?.name, 'alice');
    now = 60_001;
    assert.equal((await identify(parts, basic('alice', 'alice1'), here))?.name, 'alice');
  });
});

describe('who shows many passwords at once', () => {
  test('has no more looked at than if he showed them one after the other', async () => {
    const parts = await slowParts();
    const asked = answersTo(Array.from({ length: 25 }, (_, at) => identify(parts, basic('alice', `guess${at}`), here)));
    const elsewhere = identify(parts, basic('alice', 'alice1'), '192.0.2.2');
    await new Promise(setImmediate);
    assert.equal(parts.compared.length, 11);
    parts.finish();
    const answers = await asked;
    assert.deepEqual(new Set(answers.slice(0, 10)), new Set(['UNAUTHORIZED']));
    assert.deepEqual(new Set(answers.slice(10)), new Set(['TOOMANYREQUESTS']));
    assert.deepEqual(await answersTo([elsewhere, identify(parts, basic('alice', 'alice1'), here)]), [
      'in',
      'TOOMANYREQUESTS',
    ]);
  });

  test('and they are right, has none of them held against him', async () => {
    const parts = await slowParts();
    const users = Array.from({ length: 10 }, (_, at) => basic(`user${at}`, `user${at}1`));
    const asked = users.map((login) => identify(parts, login, here));
    const same = Array.from({ length: 20 }, () => identify(parts, users[0], here));
    parts.finish();
    assert.deepEqual(new Set(await answersTo([...asked, ...same])), new Set(['in']));
    assert.equal(parts.compared.length, 10);
    assert.deepEqual(await answersTo([identify(parts, basic('alice', 'x'), here), identify(parts, users[0], here)]), [
      'UNAUTHORIZED',
      'in',
    ]);
  });

  test('cannot hide a wrong one behind another client’s', async () => {
    const parts = await slowParts();
    const asked = [here, '192.0.2.2'].map((address) => identify(parts, basic('alice', 'x'), address));
    parts.finish();
    assert.deepEqual(await answersTo(asked), ['UNAUTHORIZED', 'UNAUTHORIZED']);
    assert.equal(parts.compared.length, 1);
    for (const address of [here, '192.0.2.2']) {
      const more = Array.from({ length: 10 }, (_, at) => identify(parts, basic('alice', `x${at}`), address));
      assert.equal((await answersTo(more)).filter((each) => each === 'UNAUTHORIZED').length, 9);
    }
  });
});

test('where an account does not count, its password takes as long as a wrong one, whoever has shown it elsewhere', async () => {
  const parts = await partsWith();
  for (const password of ['office1', 'x']) {
    await answersTo([identify(parts, basic('office', 'office1'), here)]);
    parts.compared.length = 0;
    for (let time = 0; time < 2; time += 1) {
      assert.deepEqual(await answersTo([identify(parts, basic('office', password), '198.51.100.1')]), ['UNAUTHORIZED']);
    }
    assert.deepEqual(parts.compared, [password, password]);
  }
  parts.compared.length = 0;
  await identify(parts, basic('office', 'office1'), here);
  assert.deepEqual(parts.compared, [], 'it is remembered for him who counts');

  const slow = await slowParts();
  const asked = [here, '198.51.100.1'].map((address) => identify(slow, basic('office', 'office1'), address));
  await new Promise(setImmediate);
  assert.equal(slow.compared.length, 2, 'nor does it share a look');
  slow.finish();
  assert.deepEqual(await answersTo(asked), ['in', 'UNAUTHORIZED']);
});

test('a login is this mirror’s by its form, by its name, or because no other is asked for', async () => {
  const parts = await partsWith();
  for (const [login, mode, ours] of [
    [basic('x', secret), undefined, true],
    [basic('alice', 'x'), undefined, true],
    [basic('alice', 'x'), 'own', true],
    [basic('hub-user', 'x'), undefined, false],
    [basic('hub-user', 'x'), 'own', false],
    [basic('hub-user', 'x'), 'account', true],
    [{ kind: 'bearer', token: 'x' }, 'account', false],
    [undefined, 'account', false],
  ] as const) {
    assert.equal(isOurs(parts, login, mode), ours);
  }
  assert.equal(isOurs({ ...parts, passwords: undefined }, basic('hub-user', 'x'), 'account'), false);
});
