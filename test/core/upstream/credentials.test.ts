// The mirror's own credentials at a registry: where they go, where they never go, and what they are kept with.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anonymous, ours, oursOfPublic } from '../../../src/core/access/caller.ts';
import { parseTag } from '../../../src/core/oci/reference.ts';
import { bench, manifestDigest, repository, send, sendManifest, serve, signal } from './bench.ts';

const credentials = [{ username: 'me', password: 'swordfish' }];
const login = `Basic ${Buffer.from('me:swordfish').toString('base64')}`;
const latest = { repository, target: parseTag('latest') };
const byDigest = { repository, target: manifestDigest };

const otherPassword = [{ username: 'me', password: 'sailfish' }];

/** Its tokens say in whose name they were given. `refuses`: the status for a login. */
async function guard(refuses?: number) {
  const origin = await serve((request, response) => {
    const { authorization } = request.headers;
    if (request.url?.startsWith('/token')) {
      if (authorization !== undefined && refuses !== undefined) return send(response, refuses);
      const token = authorization === undefined ? 'nobody' : authorization === login ? 'me' : 'other';
      return send(response, 200, {}, JSON.stringify({ token, expires_in: 300 }));
    }
    if (authorization?.startsWith('Bearer ') === true) return sendManifest(request, response);
    send(response, 401, { 'www-authenticate': `Bearer realm="${origin.url}/token",service="s"` });
  });
  const shown = () =>
    origin.log.filter(({ url }) => url.startsWith('/v2/')).map(({ headers }) => headers.authorization);
  return { ...origin, shown };
}

test('they go to the token service where we ask in our own name, and tokens are kept for each name', async () => {
  const registry = await guard();
  const { upstream } = bench({ endpoints: [registry.url], credentials });
  for (const as of [anonymous, ours, anonymous, ours]) assert.ok(await upstream.manifest(latest, as, signal));
  assert.deepEqual(registry.shown(), [undefined, 'Bearer nobody', 'Bearer me', 'Bearer nobody', 'Bearer me']);
  const tokens = registry.log.filter(({ url }) => url.startsWith('/token'));
  assert.deepEqual(
    tokens.map(({ headers }) => headers.authorization),
    [undefined, login],
  );
});

test('they go straight to a registry that has no token service, and not where it redirects to', async () => {
  const cdn = await serve((request, response) => sendManifest(request, response));
  const registry = await serve((request, response) => {
    if (request.headers.authorization === login) send(response, 307, { location: `${cdn.url}/x` });
    else send(response, 401, { 'www-authenticate': 'Basic realm="registry"' });
  });
  const { upstream } = bench({ endpoints: [registry.url], redirects: [cdn.url], credentials });
  assert.ok(await upstream.manifest(latest, ours, signal));
  assert.deepEqual(
    cdn.log.map(({ headers }) => headers.authorization),
    [undefined],
  );
  await assert.rejects(upstream.manifest(latest, anonymous, signal), { status: 401 });
  assert.equal(registry.log.at(-1)?.headers.authorization, undefined);
});

test('they go to no third party, and to no token service of one', async () => {
  const mirror = await guard();
  const registry = await serve((_request, response) => send(response, 503));
  const { upstream } = bench({ endpoints: [registry.url], mirrors: [mirror.url], credentials });
  // What only they open has a name that is nothing for a third party.
  await assert.rejects(upstream.manifest(byDigest, ours, signal), { status: 503 });
  assert.equal(mirror.log.length, 0);
  assert.ok(await upstream.manifest(byDigest, oursOfPublic, signal));
  assert.deepEqual(mirror.shown(), [undefined, 'Bearer nobody']);
  assert.ok(mirror.log.every(({ headers }) => headers.authorization !== login));
});

test('a token that they got for one registry is shown to no other, which may name the same token service', async () => {
  const logins: (string | undefined)[] = [];
  const registry = await guard();
  const other = await serve((request, response) => {
    logins.push(request.headers.authorization);
    const scope = 'repository:team/secret:pull';
    send(response, 401, { 'www-authenticate': `Bearer realm="${registry.url}/token",service="s",scope="${scope}"` });
  });
  const { upstream } = bench(
    { endpoints: [registry.url], credentials },
    { name: 'other.test', endpoints: [other.url], realms: [`${registry.url}/token`], credentials: otherPassword },
  );
  const secret = { repository: { ...repository, name: 'team/secret' }, target: manifestDigest };
  const foreign = { repository: { registry: 'other.test', name: 'any/thing' }, target: manifestDigest };
  assert.ok(await upstream.manifest(secret, ours, signal));
  await assert.rejects(upstream.manifest(foreign, ours, signal), { status: 401 });
  assert.deepEqual(logins, [undefined, 'Bearer other']);
});

for (const status of [400, 401, 403]) {
  test(`that they are refused with ${status} is our trouble and not the client’s, and is told without them`, async () => {
    const registry = await guard(status);
    const { upstream, events } = bench({ endpoints: [registry.url], credentials });
    await assert.rejects(upstream.manifest(latest, ours, signal), (error: Error) => {
      assert.deepEqual(Reflect.get(error, 'status'), 502);
      assert.match(error.message, /to the credentials that the configuration has for it$/);
      return true;
    });
    assert.ok(!/swordfish|Basic/.test(JSON.stringify(events)));
  });
}
