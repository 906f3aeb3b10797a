// The table for registries whose clients log in with the registry's own login, which is relayed.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createSecret } from '../../src/core/access/secret.ts';
import { answer } from '../fakes/registry/levers.ts';
import { basic, challengeIn, type DoorLab, item, layerAt, secrets, tokenIn } from './door.ts';

const manifest = '/v2/acme/secret/manifests/1';
const user = basic('hub-user');

/** `access: login`. */
export function rowsOfOwnLogin(lab: DoorLab): void {
  for (const [target, host, service] of [
    ['/v2/', 'mirror.example', 'docker.io'],
    ['/v2/?ns=ghcr.io', 'mirror.example', 'ghcr.io'],
    ['/ghcr.io/v2/', 'mirror.example', 'ghcr.io'],
    ['/v2/', 'ghcr.example', 'ghcr.io'],
  ] as const) {
    it(`${target} at ${host} tells where to log in for ${service}`, async () => {
      const got = await lab.get(target, undefined, host);
      assert.equal(got.status, 401);
      assert.match(challengeIn(got), new RegExp(`^Bearer realm="https?://${host}/token",service="${service}"$`));
      assert.equal(got.headers['docker-distribution-api-version'], 'registry/2.0');
    });
  }

  for (const [target, service, scope] of [
    [manifest, 'docker.io', 'acme/secret'],
    [layerAt('public/app'), 'docker.io', 'public/app'],
    ['/v2/app/tags/list', 'docker.io', 'library/app'],
    ['/v2/public/app/manifests/1?ns=ghcr.io', 'ghcr.io', 'public/app'],
    // The login of this host is docker.io's, so that is whom it is for.
    ['/v2/ghcr.io/public/app/manifests/1', 'docker.io', 'ghcr.io/public/app'],
  ] as const) {
    it(`${target} without a token does so too, with the scope ${scope}`, async () => {
      lab.forget();
      const got = await lab.get(target);
      assert.equal(got.status, 401);
      assert.ok(challengeIn(got).endsWith(`,service="${service}",scope="repository:${scope}:pull"`), challengeIn(got));
      assert.equal(lab.sent, '[[],[],[]]');
    });
  }

  it('a login is good for the ping, and a wrong one gets 401', async () => {
    assert.equal((await lab.get('/v2/', await lab.token(undefined, user))).status, 200);
    assert.equal((await lab.get('/token?service=docker.io', basic('hub-user', 'wrong'))).status, 401);
    assert.equal((await lab.get('/v2/', user)).status, 401);
  });

  it('a login opens a private image: the registry sees its own token, the CDN none, and the other registry nothing', async () => {
    lab.forget();
    const token = await lab.token('acme/secret', user);
    const got = await lab.get(manifest, token);
    assert.deepEqual([got.status, Buffer.from(got.body).toString()], [200, item.body.toString()]);
    const blob = await lab.get(layerAt('acme/secret'), token);
    assert.deepEqual([blob.status, blob.body.length], [200, 5000]);
    const shown = lab.hub.asked(/^\/v2\/acme/).map(({ headers }) => headers.authorization);
    assert.ok(shown.length > 1 && shown.every((each) => /^Bearer hubtoken-\d+$/.test(each ?? '')), shown.join());
    assert.ok(lab.cdn.log.length > 0 && lab.cdn.log.every(({ headers }) => headers.authorization === undefined));
    assert.deepEqual(lab.ghcr.log, []);
  });

  it('nobody else gets the private image after its owner pulled it', async () => {
    const token = await lab.token('acme/secret', user);
    assert.equal((await lab.get(layerAt('acme/secret'), token)).status, 200);
    const others = await lab.token('acme/secret', basic('hub-other'));
    for (const target of [manifest, layerAt('acme/secret'), `/v2/acme/secret/manifests/${item.digest}`]) {
      for (const authorization of [others, undefined]) {
        const got = await lab.get(target, authorization);
        assert.deepEqual([got.status, got.headers['cache-status']], [401, undefined], target);
        assert.match(challengeIn(got), /^Bearer realm="https?:\/\/mirror\.example\/token",service="docker\.io",scope=/);
      }
    }
  });

  it('a form does as well, with a password or with what it was given to refresh', async () => {
    const form = { grant_type: 'password', username: 'hub-user', password: 'swordfish', service: 'docker.io' };
    const scope = 'repository:acme/secret:pull repository:docker.io/public/app:pull registry:catalog:*';
    const got = await lab.post({ ...form, scope, client_id: 'c', access_type: 'offline' });
    assert.equal((await lab.get(manifest, tokenIn(got))).status, 200);
    const { refresh_token: refresh } = JSON.parse(Buffer.from(got.body).toString()) as { refresh_token: string };
    const again = await lab.post({ grant_type: 'refresh_token', refresh_token: refresh, scope, client_id: 'c' });
    assert.equal((await lab.get(manifest, tokenIn(again))).status, 200);
    const asked = new URLSearchParams(lab.hub.asked('/token', 'POST').at(-1)?.form);
    assert.deepEqual(Object.fromEntries(asked), {
      service: 'fake registry',
      client_id: 'c',
      grant_type: 'refresh_token',
      refresh_token: refresh,
      scope: 'repository:acme/secret:pull repository:public/app:pull',
    });
    assert.equal((await lab.post({ ...form, password: 'wrong' })).status, 401);
  });

  it('a form gets 404 where the registry takes none, so that clients come with a header', async () => {
    const form = { grant_type: 'password', username: 'ghcr-user', password: 'swordfish', service: 'ghcr.io' };
    assert.equal((await lab.post(form)).status, 404);
    const token = await lab.token('acme/secret', basic('ghcr-user'), 'ghcr.io');
    assert.equal((await lab.get(`${manifest}?ns=ghcr.io`, token)).status, 200);
  });

  it('all scopes are asked for in the registry’s own names, and only to pull', async () => {
    lab.forget();
    const scopes = ['repository:docker.io/acme/secret:pull,push', 'repository:app:pull', 'registry:catalog:*'];
    const query = scopes.map((scope) => `&scope=${encodeURIComponent(scope)}`).join('');
    await lab.get(`/token?service=docker.io&account=hub-user&client_id=docker&offline_token=true&x=y${query}`, user);
    const [asked] = lab.hub.asked('/token');
    assert.deepEqual(
      [...new URLSearchParams(asked?.query)],
      [
        ['service', 'fake registry'],
        ['account', 'hub-user'],
        ['client_id', 'docker'],
        ['offline_token', 'true'],
        ['scope', 'repository:acme/secret:pull'],
        ['scope', 'repository:library/app:pull'],
      ],
    );
  });

  it('a login for the host’s registry is not shown to another one that the path names', async () => {
    lab.forget();
    const got = await lab.get('/token?service=docker.io&scope=repository:ghcr.io/acme/secret:pull', user);
    assert.equal(got.status, 401);
    assert.equal(lab.sent, '[[],[],[]]');
  });

  it('without a login there is no token', async () => {
    for (const authorization of [undefined, 'Basic Og==']) {
      assert.equal((await lab.get('/token?service=docker.io', authorization)).status, 401);
    }
  });

  it('no token is good but one that was given out here for this registry', async () => {
    const token = await lab.token('public/app', user);
    const direct = /token":"([^"]+)/.exec(
      await (await fetch(`${lab.hub.url}/token?scope=repository:public/app:pull`)).text(),
    );
    lab.forget();
    for (const forged of [
      `Bearer ${direct?.[1]}`,
      `${token}x`,
      token.replace('.', '.1'),
      basic('hub-user'),
      'Negotiate x',
    ]) {
      const got = await lab.get('/v2/public/app/manifests/1', forged);
      assert.equal(got.status, 401, forged);
      assert.match(challengeIn(got), /^Bearer realm=.*,error="invalid_token"$/);
    }
    assert.equal((await lab.get('/v2/public/app/manifests/1?ns=ghcr.io', token)).status, 401);
    assert.equal((await lab.get('/v2/ghcr.io/public/app/manifests/1', token)).status, 401);
    assert.equal(lab.sent, '[[],[],[]]');
  });

  it('a token service that limits is a 429 with its Retry-After, one that talks nonsense a 503', async () => {
    lab.hub.levers.answers.push({ ...answer.tooMany(/^\/token/), times: 1 });
    const limited = await lab.get('/token?service=docker.io', user);
    assert.deepEqual([limited.status, limited.headers['retry-after']], [429, '30']);
    lab.hub.levers.answers.push({ path: /^\/token/, status: 200, body: '<html>', times: 1 });
    assert.equal((await lab.get('/token?service=docker.io', user)).status, 503);
    lab.hub.levers.answers.push({
      path: /^\/token/,
      status: 302,
      headers: { location: `${lab.ghcr.url}/token` },
      times: 1,
    });
    lab.forget();
    assert.equal((await lab.get('/token?service=docker.io', user)).status, 502);
    assert.deepEqual(lab.ghcr.log, []);
  });

  it('an account of this mirror gets in too, for what is public', async () => {
    const token = await lab.token('public/app', basic('bob', secrets.bob));
    assert.equal((await lab.get('/v2/public/app/manifests/1', token)).status, 200);
    assert.equal((await lab.get(manifest, token)).status, 401);
    assert.ok(!lab.sent.includes(secrets.bob.slice(7)));
  });

  it('an account’s secret is relayed nowhere, whatever it is taken for', async () => {
    lab.forget();
    const { bob } = secrets;
    for (const [query, authorization] of [
      ['', basic(bob, 'x')],
      ['', basic('hub-user', `${bob} `)],
      [`&account=${bob}`, user],
      [`&client_id=${bob}`, user],
      [`&scope=repository:acme/${bob}:pull`, user],
    ] as const) {
      assert.equal((await lab.get(`/token?service=docker.io${query}`, authorization)).status, 401, query);
    }
    const form = { grant_type: 'password', username: 'hub-user', password: 'swordfish', service: 'docker.io' };
    for (const field of ['username', 'client_id']) {
      assert.equal((await lab.post({ ...form, [field]: bob })).status, 401, field);
    }
    assert.equal((await lab.post({ ...form, password: `${bob}\n` })).status, 401);
    assert.equal((await lab.post({ grant_type: 'refresh_token', refresh_token: bob })).status, 401);
    assert.equal(lab.sent, '[[],[],[]]');
  });

  it('guesses at accounts keep nobody from logging in at the registry, nor the other way round', async () => {
    const guess = (password: string) => lab.get('/token?service=docker.io', basic('hub-user', password));
    const stranger = createSecret(new Uint8Array(16).fill(8));
    for (let count = 0; count < 12; count += 1) await guess(stranger);
    assert.equal((await guess(stranger)).status, 429);
    assert.equal((await guess('swordfish')).status, 200);
    assert.equal((await guess('wrong')).status, 401);
    for (let count = 0; count < 10; count += 1) await guess('wrong');
    lab.forget();
    // Whether it is right, only the registry could tell.
    assert.equal((await guess('swordfish')).status, 429);
    assert.equal(lab.sent, '[[],[],[]]');
    await lab.token('public/app', basic('bob', secrets.bob));
  });
}

/** `access: login`, of a face that holds blobs. */
export function rowsOfKeptOwnLogin(lab: DoorLab): void {
  const targets = [manifest, `/v2/acme/secret/manifests/${item.digest}`, layerAt('acme/secret')];
  const refused = async (authorization: string | undefined) => {
    const told = [];
    for (const target of targets) {
      for (const method of ['GET', 'HEAD']) {
        const { status, headers, body } = await lab.ask(method, target, authorization);
        const { date: _, ...rest } = headers;
        told.push([method, target, status, rest, Buffer.from(body).toString()]);
      }
    }
    return told;
  };

  it('what its owner has pulled costs HEADs the second time, with a new token too, and nobody else can tell', async () => {
    const others = await lab.token('acme/secret', basic('hub-other'));
    const before = [await refused(others), await refused(undefined)];
    const pull = async () => {
      const token = await lab.token('acme/secret', user);
      lab.forget();
      const got = [];
      for (const target of targets) got.push(await lab.get(target, token));
      assert.ok(got.every(({ status }) => status === 200));
      return got.map(({ headers }) => headers['cache-status']);
    };
    assert.equal((await pull())[0], 'sampan; fwd=bypass');
    assert.equal(lab.cdn.log.filter(({ method }) => method === 'GET').length, 1);
    const kept = 'sampan; fwd=bypass; detail=kept';
    // Its last bytes come a moment before it is at rest.
    for (let told = await pull(); told.at(-1) !== kept; told = await pull());
    assert.deepEqual(await pull(), [kept, kept, kept]);
    assert.ok(lab.hub.asked(/^\/v2\//).length > 0 && lab.hub.log.every(({ method }) => method === 'HEAD'));
    assert.ok(lab.cdn.log.every(({ method }) => method === 'HEAD'));
    assert.deepEqual([await refused(others), await refused(undefined)], before);
  });
}

/** `access: open`. */
export function rowsOfOwnLoginForAnybody(lab: DoorLab): void {
  it('who has no login is told that there is one, and gets a token that the registry is not asked for', async () => {
    assert.equal((await lab.get('/v2/')).status, 401);
    lab.forget();
    const token = await lab.token('public/app');
    assert.equal(lab.sent, '[[],[],[]]');
    assert.equal((await lab.get('/v2/', token)).status, 200);
    const got = await lab.get('/v2/public/app/manifests/1', token);
    assert.equal(got.status, 200);
    // As for anybody: from what is held, and into it.
    assert.match(String(got.headers['cache-status']), /^sampan; (?:hit|fwd=miss)/);
    assert.equal((await lab.get(manifest, token)).status, 401);
    assert.equal((await lab.get('/v2/public/app/manifests/1')).status, 200);
  });
}
