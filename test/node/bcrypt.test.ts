import assert from 'node:assert/strict';
import { hashSync } from 'bcryptjs';
import { type TestContext, test } from 'node:test';
import { Bcrypt } from '../../src/node/bcrypt.ts';

function open(t: TestContext): Bcrypt {
  const bcrypt = new Bcrypt();
  t.after(() => bcrypt.close());
  return bcrypt;
}

test('a password is compared with hashes as others make them', async (t) => {
  const { compare } = open(t);
  // Made by libxcrypt, and of the tests of crypt_blowfish.
  for (const [hash, password] of [
    ['$2y$05$bvIG6Nmid91Mu9RcmmWZfOA/vDgBFQhA8qIkhw3UHIn2u7HWyk53y', 'swordfish'],
    ['$2b$06$WApznUOJfkEGSmYRfnkrPOR/PC1jOqcXmmBGxhf5na/mq.1SppoDa', 'correct horse'],
    ['$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
    [hashSync('grüße', 4), 'grüße'],
  ] as const) {
    assert.equal(await compare(password, hash, 'a'), true, hash);
    assert.equal(await compare('wrong', hash, 'a'), false);
  }
});

test('clients take turns: who shows many waits for himself', async (t) => {
  const { compare } = open(t);
  const hash = hashSync('right', 4);
  const order: string[] = [];
  const ask = async (client: string) => {
    await compare('right', hash, client);
    order.push(client);
  };
  await Promise.all(['a', 'a', 'a', 'a', 'b', 'b', 'c'].map(ask));
  assert.equal(order.join(''), 'abcabaa');
});

test('only so many clients wait; the next hears that there are too many, and when they are done, who comes is served', async (t) => {
  const { compare: compareFor } = open(t);
  const hash = hashSync('right', 4);
  const compare = (password: string, of: string, client = 'a') => compareFor(password, of, client);
  const asked = Array.from({ length: 18 }, (_, at) => compare(at % 2 === 0 ? 'right' : 'wrong', hash, `client ${at}`));
  const told = await Promise.allSettled(asked);
  assert.deepEqual(
    told.slice(0, 16).map((each) => each.status === 'fulfilled' && each.value),
    Array.from({ length: 16 }, (_, at) => at % 2 === 0),
  );
  for (const each of told.slice(16)) {
    assert.ok(each.status === 'rejected');
    assert.deepEqual([each.reason.status, each.reason.headers], [503, { 'retry-after': '2' }]);
  }
  assert.equal(await compare('right', hash), true);
});

test('a thread that ends takes those who wait along, and nobody who comes after', async (t) => {
  const bcrypt = open(t);
  const asked = bcrypt.compare('right', hashSync('right', 10), 'a');
  await bcrypt.close();
  await assert.rejects(asked, /thread that checks passwords has ended/);
  assert.equal(await bcrypt.compare('right', hashSync('right', 4), 'a'), true);
});
