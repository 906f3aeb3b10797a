// The table for registries whose clients log in with an account of this mirror's own, which has credentials for the registry.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createSecret } from '../../src/core/access/secret.ts';
import type { FaceAnswer } from './face.ts';
import { answer } from '../fakes/registry/levers.ts';
import { basic, challengeIn, type DoorLab, item, layerAt, second, secrets, third } from './door.ts';

const alice = basic('alice', secrets.alice);
const bob = basic('bob', secrets.bob);
const manifest = '/v2/acme/secret/manifests/1';

/** `access: login`. */
export function rowsOfAccounts(lab: DoorLab): void {
  for (const target of ['/v2/', '/v2/public/app/manifests/1', layerAt('public/app'), '/v2/public/app/tags/list']) {
    it(`${target} wants an account`, async () => {
      lab.forget();
      const got = await lab.get(target);
      assert.deepEqual([got.status, challengeIn(got)], [401, 'Basic realm="sampan"']);
      assert.equal(lab.sent, '[[],[],[]]');
    });
  }

  it('an account has what is public, fetched with the mirror’s credentials, which prove nothing', async () => {
    lab.forget();
    assert.equal((await lab.get('/v2/', bob)).status, 200);
    const got = await lab.get('/v2/public/app/manifests/1', bob);
    assert.deepEqual([got.status, Buffer.from(got.body).toString()], [200, item.body.toString()]);
    const shown = (method: string) => lab.hub.asked(/manifests/, method).at(-1)?.headers.authorization;
    assert.notEqual(shown('GET'), shown('HEAD'));
    assert.equal((await lab.get(layerAt('public/app'), bob)).body.length, 5000);
    const tokens = lab.hub.asked('/token').map(({ headers }) => headers.authorization);
    assert.equal(tokens[0], undefined, 'that it is public is asked in nobody’s name');
    assert.ok(tokens.includes(basic('hub-user')));
    assert.ok(lab.cdn.log.every(({ headers }) => headers.authorization === undefined));
    assert.ok(lab.hub.asked(/^\/v2/).every(({ headers }) => !headers.authorization?.startsWith('Basic')));
    assert.deepEqual(lab.ghcr.log, []);
  });

  it('what is not proven to be public yet is, before it is fetched with the mirror’s credentials', async () => {
    await lab.get('/v2/public/app/manifests/1', bob);
    lab.forget();
    const at = `/v2/public/app/manifests/${second.digest}`;
    assert.equal((await lab.get(at, bob)).status, 200);
    const asked = lab.hub.asked(at);
    assert.deepEqual(
      asked.map(({ method }) => method),
      ['HEAD', 'GET'],
    );
    assert.notEqual(asked[0]?.headers.authorization, asked[1]?.headers.authorization);
  });

  it('what is no longer public is not served because the mirror’s credentials open it', async () => {
    await lab.get('/v2/public/app/manifests/1', bob);
    const { token } = lab.hub.levers;
    lab.hub.levers.token = {
      ...token,
      private: ['acme/secret', 'public/app'],
      logins: { 'hub-user:swordfish': ['acme/secret', 'public/app'] },
    };
    lab.hub.tokens.revoke();
    assert.equal((await lab.get(`/v2/public/app/manifests/${third.digest}`, bob)).status, 403);
    lab.hub.levers.token = token;
    lab.hub.tokens.revoke();
  });

  it('an account whose rules name a private repository has it, and no other account', async () => {
    for (const target of [manifest, layerAt('acme/secret'), `/v2/acme/secret/manifests/${item.digest}`]) {
      assert.equal((await lab.get(target, alice)).status, 200, target);
      const got = await lab.get(target, bob);
      assert.deepEqual([got.status, challengeIn(got), got.headers['cache-status']], [403, '', undefined], target);
    }
    const other = await lab.get(`${manifest}?ns=ghcr.io`, alice);
    assert.deepEqual([other.status, challengeIn(other)], [403, '']);
  });

  it('an account that gets what cannot be judged, because a limit is reached, is told so: it may be public', async () => {
    lab.hub.hold('acme/open', item, '1');
    lab.hub.levers.answers.push({ ...answer.tooMany(/acme\/open/), method: 'HEAD', times: 1 });
    const got = await lab.get('/v2/acme/open/manifests/1', alice);
    assert.deepEqual([got.status, got.headers['cache-status']], [200, 'sampan; fwd=bypass; detail=limited']);
    assert.match(
      String((await lab.get(manifest, alice)).headers['cache-status']),
      /^sampan; fwd=bypass(?:; detail=kept)?$/,
    );
  });

  it('a secret stands in the host or in the path as well, for who cannot log in', async () => {
    const { bob: secret } = secrets;
    for (const [target, host] of [
      ['/v2/public/app/manifests/1', `${secret}.mirror.example`],
      ['/v2/public/app/manifests/1', `${secret.toUpperCase()}.ghcr.example`],
      [`/v2/${secret}/public/app/manifests/1`, 'mirror.example'],
      [`/v2/${secret}/ghcr.io/public/app/manifests/1`, 'mirror.example'],
      [`/${secret}/v2/public/app/manifests/1?ns=ghcr.io`, 'mirror.example'],
      [`/${secret}/v2/`, 'mirror.example'],
      // As an endpoint of another sampan.
      [`/${secret}/docker.io/v2/public/app/manifests/1`, 'mirror.example'],
    ] as const) {
      assert.equal((await lab.get(target, undefined, host)).status, 200, `${host}${target}`);
    }
    assert.equal((await lab.get(manifest, undefined, `${secrets.alice}.mirror.example`)).status, 200);
    assert.equal((await lab.get(manifest, undefined, `${secret}.mirror.example`)).status, 403);
  });

  it('the next page of a list is found with the secret in the path that the first was', async () => {
    lab.hub.hold('public/app', item, '2');
    lab.hub.levers.pageSize = 1;
    let target: string | undefined = `/v2/${secrets.bob}/public/app/tags/list`;
    const tags: string[] = [];
    while (target !== undefined && tags.length < 3) {
      const got: FaceAnswer = await lab.get(target);
      assert.equal(got.status, 200, target);
      tags.push(...(JSON.parse(Buffer.from(got.body).toString()) as { tags: string[] }).tags);
      target = /^<([^>]+)>/.exec(String(got.headers['link'] ?? ''))?.[1];
    }
    assert.deepEqual(tags, ['1', '2']);
  });

  it('a secret leaves the mirror nowhere, right or wrong', async () => {
    const wrong = createSecret(new Uint8Array(16).fill(9));
    for (const target of [`/v2/${wrong}/public/app/manifests/1`, `/v2/${wrong.slice(0, -1)}/public/app/manifests/1`]) {
      const got = await lab.get(target);
      assert.equal(got.status, 403);
      assert.ok(!Buffer.from(got.body).toString().includes(wrong.slice(7, 20)));
    }
    assert.equal((await lab.get(`/v2/public/${wrong}/manifests/1`, bob)).status, 400);
    for (const text of [...Object.values(secrets), wrong]) assert.ok(!lab.sent.includes(text.slice(7, 20)));
  });

  it('a wrong secret, another’s name, a chosen password and a foreign token get 401', async () => {
    const stranger = createSecret(new Uint8Array(16).fill(8));
    for (const shown of [
      basic('alice', stranger),
      basic('alice', secrets.bob),
      basic('alice', 'hunter2'),
      'Bearer x',
    ]) {
      const got = await lab.get('/v2/', shown);
      assert.deepEqual([got.status, challengeIn(got)], [401, 'Basic realm="sampan"'], shown);
    }
  });

  it('who guesses gets 429 for a while, but not for a right secret: others have the same address', async () => {
    const stranger = createSecret(new Uint8Array(16).fill(8));
    const statuses: number[] = [];
    for (let guess = 0; guess < 12; guess += 1) statuses.push((await lab.get('/v2/', basic('alice', stranger))).status);
    assert.deepEqual([statuses[0], statuses.at(-1)], [401, 429]);
    const got = await lab.get('/v2/', basic('alice', stranger));
    assert.ok(got.status === 429 && Number(got.headers['retry-after']) > 0);
    assert.equal((await lab.get(`/v2/${stranger}/public/app/manifests/1`)).status, 429);
    assert.equal((await lab.get('/v2/', alice)).status, 200);
    assert.equal((await lab.get(`/v2/${secrets.alice}/public/app/manifests/1`)).status, 200);
  });
}

/** `access: open`. */
export function rowsOfAccountsForAnybody(lab: DoorLab): void {
  it('who has no account gets a token without one, and what is public with it', async () => {
    const ping = await lab.get('/v2/');
    assert.equal(ping.status, 401);
    assert.match(challengeIn(ping), /^Bearer realm="https?:\/\/mirror\.example\/token",service="docker\.io"$/);
    const nobody = await lab.token('public/app');
    for (const shown of [nobody, undefined]) {
      assert.equal((await lab.get('/v2/public/app/manifests/1', shown)).status, 200);
      assert.equal((await lab.get(manifest, shown)).status, 401);
    }
  });

  it('an account has its own, and is good by itself as well', async () => {
    for (const shown of [await lab.token('acme/secret', alice), alice]) {
      assert.equal((await lab.get(manifest, shown)).status, 200);
    }
  });

  it('a login that is no account’s gets none, though nobody needs one', async () => {
    const stranger = createSecret(new Uint8Array(16).fill(8));
    for (const wrong of [basic('alice', stranger), basic('alice', 'hunter2'), basic('hub-user')]) {
      assert.equal((await lab.get('/token?service=docker.io', wrong)).status, 401);
    }
    const form = { grant_type: 'password', service: 'docker.io', username: 'alice', password: 'hunter2' };
    assert.equal((await lab.post(form)).status, 401);
  });
}
