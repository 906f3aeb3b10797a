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

  it('an outsider is told the same of what is configured, what is not, and what is no name', async () => {
    const targets = [
      '/v2/docker.io/a/b/manifests/1',
      '/v2/nope.example/a/b/manifests/1',
      '/v2/docker.io/a/B/manifests/1',
    ];
    const more = ['/docker.io/v2/a/b/manifests/1', '/nope.example/v2/a/b/manifests/1'];
    for (const [shown, asked] of [
      [undefined, [...targets, ...more]],
      ['Bearer x', [...targets, ...more]],
      // Few, for they are counted.
      [basic('nobody', 'wrong-word'), targets.slice(0, 2)],
    ] as const) {
      const told = [];
      for (const target of asked) {
        const { status, headers, body } = await lab.get(target, shown);
        const { date: _, ...rest } = headers;
        told.push([status, rest, Buffer.from(body).toString()]);
      }
      assert.equal(told[0]?.[0], 401);
      for (const each of told) assert.deepEqual(each, told[0]);
    }
    const desk = [];
    for (const scope of ['docker.io/a/b', 'nope.example/a/b', 'docker.io/a/B']) {
      const { status, body } = await lab.get(`/token?scope=repository:${scope}:pull`);
      desk.push([status, Buffer.from(body).toString()]);
    }
    assert.equal(desk[0]?.[0], 401);
    for (const each of desk) assert.deepEqual(each, desk[0]);
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

  it('a login of the registry’s is not looked at here, whatever is wrong with what is asked for', async () => {
    for (let time = 0; time < 11; time += 1) {
      const { status } = await lab.get('/v2/acme/App/manifests/1', basic(`hub-user${time}`));
      assert.equal(status, 401);
    }
    assert.equal((await lab.get('/v2/acme/App/manifests/1', carol)).status, 400);
  });
}
