// Relaying a client's login: to the token service that the registry names and the policy allows, and nowhere else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anonymous } from '../../../src/core/access/caller.ts';
import { parseTag } from '../../../src/core/oci/reference.ts';
import type { Relayed } from '../../../src/core/upstream/relay.ts';
import { bench, type Handle, nobody, send, serve, signal } from './bench.ts';

const reference = { repository: { registry: 'registry.test', name: 'a/b' }, target: parseTag('1') };
const authorization = `Basic ${Buffer.from('me:swordfish').toString('base64')}`;
const relayed: Relayed = {
  registry: 'registry.test',
  scopes: ['repository:a/b:pull'],
  parameters: [['account', 'me']],
  login: { kind: 'header', authorization },
};
const form: Relayed = {
  ...relayed,
  login: {
    kind: 'form',
    fields: [
      ['grant_type', 'password'],
      ['username', 'me'],
      ['password', 'swordfish'],
    ],
  },
};

/** Its /v2/ names `realm`, its own /token if none is given. */
async function registryThat(grant: Handle, realm?: string) {
  const origin = await serve((request, response) => {
    if (request.url !== '/v2/') return grant(request, response);
    send(response, 401, { 'www-authenticate': `Bearer realm="${realm ?? `${origin.url}/token`}",service="s"` });
  });
  return origin;
}

const granting: Handle = (_request, response) => send(response, 200, {}, '{"token":"t","expires_in":300}');

test('the endpoint is asked once where its tokens come from, without the login', async () => {
  const registry = await registryThat(granting);
  const { upstream } = bench({ endpoints: [registry.url] });
  for (let i = 0; i < 2; i += 1) {
    const granted = { authorization: 'Bearer t', grantor: registry.url, life: 300, refresh: undefined };
    assert.deepEqual(await upstream.relay(relayed, signal), granted);
  }
  assert.deepEqual(
    registry.log.map(({ method, url, headers }) => [method, url, headers.authorization]),
    [
      ['GET', '/v2/', undefined],
      ['GET', '/token?service=s&account=me&scope=repository%3Aa%2Fb%3Apull', authorization],
      ['GET', '/token?service=s&account=me&scope=repository%3Aa%2Fb%3Apull', authorization],
    ],
  );
});

test('while an endpoint cannot say whether logins are for it, no other is shown them', async () => {
  const wantsTokens = await registryThat(granting);
  const wantsLogins = await serve((_request, response) =>
    send(response, 401, { 'www-authenticate': 'Basic realm="sampan"' }),
  );
  const broken = await serve((_request, response) => send(response, 503));
  for (const second of [wantsTokens, wantsLogins]) {
    for (const first of [await nobody(), broken.url]) {
      const { upstream } = bench({ endpoints: [first, second.url] });
      for (const login of [relayed, form]) await assert.rejects(upstream.relay(login, signal), { status: 503 });
    }
    assert.deepEqual(second.log, []);
  }
});

test('of several endpoints the first that takes logins is shown them, and no other when that is down', async () => {
  const [first, second] = [await registryThat(granting), await registryThat(granting)];
  const { upstream } = bench({ endpoints: [first.url, second.url] });
  assert.equal((await upstream.relay(relayed, signal)).grantor, first.url);
  first.server.closeAllConnections();
  first.server.close();
  await assert.rejects(upstream.resolve(reference, { authorization: 'Bearer t', grantor: first.url }, signal));
  for (let i = 0; i < 2; i += 1) await assert.rejects(upstream.relay(relayed, signal), { status: 503 });
  assert.deepEqual(second.log, []);
});

test('an endpoint that limits those who have no login is asked for those who have one', async () => {
  const first = await serve((request, response) => {
    if (request.url?.includes('/manifests/') === true) return send(response, 429);
    if (request.url !== '/v2/') return granting(request, response);
    send(response, 401, { 'www-authenticate': `Bearer realm="${first.url}/token"` });
  });
  const second = await registryThat(granting);
  const { upstream, events } = bench({ endpoints: [first.url, second.url] });
  await assert.rejects(upstream.resolve(reference, anonymous, signal));
  assert.ok(events.some(({ kind }) => kind === 'aside'));
  assert.equal((await upstream.relay(relayed, signal)).grantor, first.url);
});

test('an endpoint that takes no login is passed over, also when it cannot answer, until it says otherwise', async () => {
  const answers = [200, 503, 401];
  const first = await serve((_request, response) => {
    const [status = 401] = answers;
    send(response, status, status === 401 ? { 'www-authenticate': 'Basic realm="registry"' } : {}, '{}');
  });
  const registry = await registryThat(granting);
  const { upstream } = bench({ endpoints: [first.url, registry.url] });
  for (; answers[0] !== 401; answers.shift()) {
    assert.equal((await upstream.relay(relayed, signal)).grantor, registry.url);
  }
  registry.log.length = 0;
  await assert.rejects(upstream.relay(relayed, signal), { status: 401 });
  answers[0] = 503;
  await assert.rejects(upstream.relay(relayed, signal), { status: 503 });
  assert.deepEqual(registry.log, []);
});

test('that an endpoint takes no login is not told where the one before it limits us', async () => {
  const busy = await serve((_request, response) => send(response, 429, { 'retry-after': '7' }));
  const open = await serve((_request, response) => send(response, 200, {}, '{}'));
  const { upstream } = bench({ endpoints: [busy.url, open.url] });
  await assert.rejects(upstream.relay(relayed, signal), { status: 429, headers: { 'retry-after': '7' } });
});

test('no realm gets a login that the policy does not allow', async () => {
  const elsewhere = await serve(granting);
  const other = elsewhere.url.replace('127.0.0.1', 'localhost');
  for (const realm of [
    `${other}/token`,
    'http://[::1]:1/',
    'http://me:pw@127.0.0.1/',
    'https://evil.test/',
    'nonsense',
  ]) {
    const registry = await registryThat(granting, realm);
    const { upstream } = bench({ endpoints: [registry.url] });
    for (const login of [relayed, form]) await assert.rejects(upstream.relay(login, signal), { status: 401 }, realm);
    assert.ok(registry.log.every(({ url, headers }) => url === '/v2/' && headers.authorization === undefined));
  }
  assert.deepEqual(elsewhere.log, []);
});

test('no redirect of a token service is followed', async () => {
  const elsewhere = await serve(granting);
  const registry = await registryThat((_request, response) =>
    send(response, 307, { location: `${elsewhere.url}/token` }),
  );
  const { upstream } = bench({ endpoints: [registry.url], redirects: [elsewhere.url] });
  for (const login of [relayed, form]) await assert.rejects(upstream.relay(login, signal), { status: 502 });
  assert.deepEqual(elsewhere.log, []);
});

for (const [status, told, toForm] of [
  [401, 401, 401],
  [403, 403, 403],
  [429, 429, 429],
  [404, 502, 404],
  [405, 502, 404],
  [400, 502, 404],
  [500, 503, 503],
] as const) {
  test(`a token service’s ${status} is a ${told}, and to a form a ${toForm}, without the password`, async () => {
    const registry = await registryThat((_request, response) => send(response, status, { 'retry-after': '7' }));
    const { upstream, events } = bench({ endpoints: [registry.url] });
    for (const [login, expected] of [
      [relayed, told],
      [form, toForm],
    ] as const) {
      await assert.rejects(upstream.relay(login, signal), (error: Error) => {
        assert.equal(Reflect.get(error, 'status'), expected);
        assert.ok(!JSON.stringify([error.message, error, events]).includes('swordfish'));
        if (status === 429) assert.deepEqual(Reflect.get(error, 'headers'), { 'retry-after': '7' });
        return true;
      });
    }
  });
}

test('a token service that moved is found again', async () => {
  const old = await serve((_request, response) => send(response, 404));
  const fresh = await serve(granting);
  let realm = old.url;
  const registry = await serve((_request, response) =>
    send(response, 401, { 'www-authenticate': `Bearer realm="${realm}/token"` }),
  );
  const { upstream } = bench({ endpoints: [registry.url], realms: [old.url, fresh.url] });
  await assert.rejects(upstream.relay(relayed, signal), { status: 502 });
  realm = fresh.url;
  assert.equal((await upstream.relay(relayed, signal)).authorization, 'Bearer t');
});

test('a registry that wants no login takes none', async () => {
  const registry = await serve((_request, response) => send(response, 200, {}, '{}'));
  const { upstream } = bench({ endpoints: [registry.url] });
  await assert.rejects(upstream.relay(relayed, signal), { status: 401, message: /takes no login$/ });
  await assert.rejects(upstream.relay({ ...relayed, registry: 'other.test' }, signal), { code: 'NAME_UNKNOWN' });
});

test('a registry without a token service is shown the login itself, once to try it', async () => {
  const registry = await serve((request, response) => {
    if (request.headers.authorization === authorization) send(response, 200, {}, '{}');
    else send(response, 401, { 'www-authenticate': 'Basic realm="registry"' });
  });
  const { upstream } = bench({ endpoints: [registry.url] });
  assert.deepEqual(await upstream.relay(relayed, signal), {
    authorization,
    grantor: registry.url,
    life: 300,
    refresh: undefined,
  });
  const wrong = { ...relayed, login: { kind: 'header', authorization: 'Basic eDp5' } } as const;
  await assert.rejects(upstream.relay(wrong, signal), { status: 401 });
  await assert.rejects(upstream.relay(form, signal), { status: 404 });
  assert.deepEqual(
    registry.log.map(({ url, headers }) => [url, headers.authorization]),
    [undefined, authorization, undefined, 'Basic eDp5', undefined].map((shown) => ['/v2/', shown]),
  );
});
