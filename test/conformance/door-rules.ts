// The table for rules: what they deny, who is told to log in for it, and who is just refused.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { basic, challengeIn, type DoorLab, item, layerAt, secrets } from './door.ts';

export const rules = [
  { deny: ['docker.io/library/**'] },
  { allow: ['docker.io/acme/**'], accounts: ['alice'] },
  { deny: ['docker.io/acme/**'] },
  { allow: ['ghcr.io/**'], accounts: ['*'] },
  { allow: ['docker.io/public/**'] },
  { deny: ['**'] },
];

const alice = basic('alice', secrets.alice);
const bob = basic('bob', secrets.bob);
const all = (name: string) => [
  `/v2/${name}/manifests/1`,
  `/v2/${name}/manifests/${item.digest}`,
  layerAt(name),
  `/v2/${name}/tags/list`,
  `/v2/${name}/referrers/${item.digest}`,
];

/** `access: open`, whether or not the registries have `login: account`. */
export function rowsOfRules(lab: DoorLab): void {
  it('what a rule allows to everybody, everybody gets', async () => {
    for (const target of all('public/app').slice(0, 4)) {
      for (const shown of [undefined, bob]) assert.equal((await lab.get(target, shown)).status, 200, target);
    }
  });

  it('what is denied to everybody is a 403, with a login or without, and no registry is asked', async () => {
    lab.forget();
    for (const target of [...all('library/app'), ...all('other/app')]) {
      for (const shown of [undefined, alice]) {
        const got = await lab.get(target, shown);
        assert.deepEqual([got.status, challengeIn(got)], [403, ''], target);
        assert.match(Buffer.from(got.body).toString(), /"DENIED"/);
      }
    }
    assert.equal(lab.sent, '[[],[],[]]');
  });

  it('what only accounts may have is a challenge for who has shown none, and a 403 for others', async () => {
    lab.forget();
    for (const target of all('acme/secret')) {
      const got = await lab.get(target);
      assert.equal(got.status, 401, target);
      assert.match(challengeIn(got), /^Bearer realm=".*",service="docker\.io",scope="repository:acme\/secret:pull"$/);
      const refused = await lab.get(target, bob);
      assert.deepEqual([refused.status, challengeIn(refused)], [403, ''], target);
    }
    assert.equal(lab.sent, '[[],[],[]]');
    const named = '/v2/public/app/manifests/1?ns=ghcr.io';
    assert.equal((await lab.get(named)).status, 401);
    assert.equal((await lab.get(named, bob)).status, 200);
  });

  it('a token that is good for nobody in particular is no account', async () => {
    const got = await lab.get(layerAt('acme/secret'), await lab.token('acme/secret'));
    assert.deepEqual([got.status, challengeIn(got).slice(0, 7)], [401, 'Bearer ']);
    const member = await lab.token('public/app', bob);
    assert.equal((await lab.get('/v2/public/app/manifests/1', member)).status, 200);
    assert.equal((await lab.get(layerAt('acme/secret'), member)).status, 403);
  });
}
