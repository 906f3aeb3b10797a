import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import type { Mac } from '../../../src/core/access/mac.ts';
import { type Guess, Passwords } from '../../../src/core/access/passwords.ts';

const mac: Mac = (text) => createHmac('sha256', 'key').update(text).digest();
const entries = ['alice', 'bob', 'carol'].map((name) => ({ name, hash: `hash of ${name}'s` }));

const anyone: Guess = { client: '192.0.2.1', counts: true, begin: () => () => undefined };

function passwordsAt(clock: { now: number }) {
  const compared: string[] = [];
  const compare = async (password: string, hash: string) => {
    compared.push(hash);
    return hash === `hash of ${password}`;
  };
  const passwords = new Passwords(entries, mac, compare, () => clock.now);
  const isRight = (name: string, password: string, guess = anyone) => passwords.isRight(name, password, guess);
  return { compared, passwords: { has: (name: string) => passwords.has(name), isRight } };
}

describe('passwords', () => {
  test('are right for whose they are', async () => {
    const { passwords } = passwordsAt({ now: 0 });
    assert.equal(await passwords.isRight('alice', "alice's"), true);
    assert.equal(await passwords.isRight('alice', "bob's"), false);
    assert.equal(await passwords.isRight('bob', "alice's"), false);
    assert.deepEqual([passwords.has('alice'), passwords.has('dave'), passwords.has('__proto__')], [true, false, false]);
  });

  test('a right one is not looked at again for a minute; a wrong one is', async () => {
    const clock = { now: 1000 };
    const { passwords, compared } = passwordsAt(clock);
    for (const shown of ["alice's", "alice's", 'x', 'x']) await passwords.isRight('alice', shown);
    assert.equal(compared.length, 3);
    clock.now += 59_999;
    assert.equal(await passwords.isRight('alice', "alice's"), true);
    assert.equal(compared.length, 3);
    clock.now += 1;
    assert.equal(await passwords.isRight('alice', "alice's"), true);
    assert.equal(compared.length, 4);
  });

  test('one that several show at once is looked at once', async () => {
    const { passwords, compared } = passwordsAt({ now: 0 });
    const asked = Array.from({ length: 5 }, () => passwords.isRight('alice', "alice's"));
    assert.deepEqual(await Promise.all(asked), [true, true, true, true, true]);
    assert.equal(compared.length, 1);
  });

  test('a name that nobody has costs one look, at the same hash each time, and is never right', async () => {
    const { passwords, compared } = passwordsAt({ now: 0 });
    const seen = new Set<string>();
    for (let number = 0; number < 30; number += 1) {
      for (const shown of ["alice's", "bob's", "carol's"]) {
        assert.equal(await passwords.isRight(`nobody${number}`, shown), false);
      }
      const [one, two, three] = compared.splice(0);
      assert.ok(one !== undefined && one === two && two === three);
      seen.add(one);
    }
    assert.equal(seen.size, 3, 'each of them stands in for somebody');
  });

  test('one that others would cut off is never right, and costs nothing', async () => {
    const { passwords, compared } = passwordsAt({ now: 0 });
    for (const shown of ['x'.repeat(73), 'ä'.repeat(37), "alice's\0", 'a\nb']) {
      assert.equal(await passwords.isRight('alice', shown), false);
    }
    assert.equal(compared.length, 0);
    await passwords.isRight('alice', 'ä'.repeat(36));
    assert.equal(compared.length, 1);
  });

  test('nobody’s is right where there are none', async () => {
    const none = new Passwords(
      [],
      mac,
      async () => true,
      () => 0,
    );
    assert.equal(await none.isRight('alice', '', anyone), false);
  });
});
