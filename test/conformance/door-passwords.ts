// The table for accounts that have chosen passwords, of a file: where they are asked for, and to whom they are never shown.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { basic, challengeIn, type DoorLab, item } from './door.ts';

const carol = basic('carol', 'pass word ü');
const dave = basic('dave', 'dave-word');
const manifest = '/v2/acme/secret/manifests/1';
const open = '/v2/public/app/manifests/1';

/** `access: login`, and no login for the registries. carol may pull acme/*; dave is named in the file alone. */
export function rowsOfPasswords(lab: DoorLab): void {
  it('who must be somebody to be let in is asked for it, at the ping too', async () => {
    lab.forget();
    for (const target of ['/v2/', open, manifest]) {
      const got = await lab.get(target);
      assert.deepEqual([got.status, challengeIn(got)], [401, 'Basic realm="sampan"'], target);
    }
    assert.equal(lab.sent, '[[],[],[]]');
  });

  it('an account pulls with its name and password', async () => {
    for (const shown of [carol, dave]) {
      assert.equal((await lab.get('/v2/', shown)).status, 200);
      const got = await lab.get(open, shown);
      assert.deepEqual([got.status, Buffer.from(got.body).toString()], [200, item.body.toString()]);
      const token = await lab.token('public/app', shown);
      assert.equal((await lab.get(open, token)).status, 200);
    }
  });

  it('a wrong password, another’s, and a name that nobody has are told alike', async () => {
    const told = [];
    for (const shown of [basic('carol', 'x'), basic('carol', 'dave-word'), basic('nobody', 'x')]) {
      const { status, headers, body } = await lab.get(open, shown);
      const { date: _, ...rest } = headers;
      told.push([status, rest, Buffer.from(body).toString()]);
      assert.equal((await lab.get('/v2/Not//Well', shown)).status, 401);
    }
    assert.deepEqual(told[1], told[0]);
    assert.deepEqual(told[2], told[0]);
    assert.equal(told[0]?.[0], 401);
  });

  it('a password leaves the mirror nowhere', async () => {
    lab.forget();
    for (const shown of [carol, basic('carol', 'wrong-word'), dave]) {
      await lab.get(manifest, shown);
      await lab.get(open, shown);
    }
    for (const text of ['pass word', 'wrong-word', carol.slice(6), dave.slice(6)]) assert.ok(!lab.sent.includes(text));
    assert.ok(!lab.sent.includes('Basic'));
  });
}

/** The same with `login: own`. */
export function rowsOfPasswordsBesideOwn(lab: DoorLab): void {
  it('names of the file are accounts here and are shown to no registry; all others are the registry’s', async () => {
    lab.forget();
    const token = await lab.token('public/app', carol);
    assert.equal((await lab.get(open, token)).status, 200);
    assert.equal((await lab.get('/token?service=docker.io', basic('carol', 'hub-word'))).status, 401);
    assert.ok(!lab.sent.includes(basic('carol', 'hub-word')) && !lab.sent.includes(carol));
    assert.deepEqual(
      lab.hub
        .asked('/token')
        .map(({ headers }) => headers.authorization)
        .filter(Boolean),
      [],
    );
    const own = await lab.token('acme/secret', basic('hub-user'));
    assert.equal((await lab.get(manifest, own)).status, 200);
  });

  it('a form is as good', async () => {
    const fields = { grant_type: 'password', service: 'docker.io', username: 'dave', password: 'dave-word' };
    assert.equal((await lab.post(fields)).status, 200);
    assert.equal((await lab.post({ ...fields, password: 'x' })).status, 401);
  });
}
