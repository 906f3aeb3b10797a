// What is kept is shown to nobody who may not have it, and what only some may have is not kept.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answer } from '../fakes/registry/levers.ts';
import { kept, key, secrets } from '../conformance/door.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { elsewhere, waiting } from './behind.ts';
import { startEdge } from './edge.ts';
import { imageOf, keptWorld, type KeptWorld } from './kept-world.ts';

const secret = 'team/secret';
const token = { expiresIn: 300, private: [secret] };

/** In ways that would show what is kept, if anything did. */
const asked: readonly Readonly<Record<string, string>>[] = [
  {},
  { range: 'bytes=999999-' },
  { 'if-none-match': '*' },
  elsewhere,
];

/** As its owner's client got it at the registry. */
async function ownersToken(w: KeptWorld): Promise<string> {
  const headers = { authorization: `Basic ${btoa('owner:swordfish')}` };
  const granted = await fetch(`${w.hub.url}/token?scope=repository:${secret}:pull`, { headers });
  return `Bearer ${((await granted.json()) as { token: string }).token}`;
}

for (const bucket of [false, true]) {
  describe(bucket ? 'with a bucket' : 'with a cache alone', () => {
    const w = keptWorld({ bucket });

    test('what its owner pulled is not kept, and served to nobody else', async () => {
      const { item, layer, bytes } = imageOf('private');
      w.hub.hold(secret, item, 'latest');
      w.hub.levers.token = token;
      const authorization = await ownersToken(w);
      const targets = [`manifests/latest`, `manifests/${item.digest}`, `blobs/${layer.digest}`];
      for (const target of targets.map((path) => `/v2/${secret}/${path}`)) {
        for (const again of [false, true]) {
          w.hub.log.length = 0;
          const owners = await w.edge.get(target, { authorization });
          assert.equal(owners.status, 200);
          assert.equal(owners.headers['cache-status'], 'sampan; fwd=bypass');
          assert.equal(w.hub.log.length, 1, `${target} ${again}`);
        }
        for (const headers of [{}, elsewhere]) {
          const { status, body } = await w.edge.get(target, headers);
          assert.equal(status, 401);
          assert.equal(body.includes(bytes.subarray(0, 7)), false);
        }
      }
    });

    test('the same digest in a public repository opens nothing in a private one', async () => {
      const { item, layer, bytes } = imageOf('shared digest');
      for (const name of ['library/shared', secret]) w.hub.hold(name, item, 'shared');
      w.hub.levers.token = token;
      for (const _ of [1, 2, 3]) {
        const found = await w.edge.get(`/v2/shared/blobs/${layer.digest}`);
        assert.deepEqual(found.body, bytes);
      }
      for (const headers of asked) {
        const target = `/v2/${secret}/blobs/${layer.digest}`;
        assert.equal((await w.edge.get(target, headers)).status, 401);
        assert.equal((await w.edge.head(target, headers)).status, 401);
      }
      assert.equal((await w.edge.get(`/v2/${secret}/manifests/${item.digest}`)).status, 401);
    });

    test('nor in another public one that has not got it', async () => {
      const [one, two] = [imageOf('here'), imageOf('there')];
      w.hub.hold('library/here', one.item, 'latest');
      w.hub.hold('library/there', two.item, 'latest');
      for (const _ of [1, 2]) await w.edge.get(`/v2/here/blobs/${one.layer.digest}`);
      await w.edge.get('/v2/there/manifests/latest');
      for (const headers of asked) {
        assert.equal((await w.edge.get(`/v2/there/blobs/${one.layer.digest}`, headers)).status, 404);
      }
    });

    test('a login is not served what is kept, but asked for at the registry', async () => {
      const { item, layer } = imageOf('login');
      w.hub.hold('library/login', item, 'latest');
      const target = `/v2/login/blobs/${layer.digest}`;
      await w.edge.get(target);
      w.hub.log.length = 0;
      w.hub.levers.answers = [answer.denied(/blobs/)];
      const refused = await w.edge.get(target, { authorization: 'Bearer mine' });
      assert.equal(refused.status, 403);
      assert.equal(w.hub.log[0]?.headers.authorization, 'Bearer mine');
      assert.equal((await w.edge.get(target)).headers['cache-status'], 'sampan; hit');
    });

    test('a repository that is closed is closed here too, as soon as that was noticed, in every isolate that does not know it', async () => {
      const { item, layer } = imageOf('closed');
      w.hub.hold('library/closed', item, 'latest');
      const target = `/v2/looked.example/library/closed/blobs/${layer.digest}`;
      const tag = '/v2/looked.example/library/closed/manifests/latest';
      await w.edge.get(tag);
      await w.edge.get(target);
      assert.equal((await w.edge.get(target)).headers['cache-status'], 'sampan; hit');
      w.hub.levers.answers = [answer.unauthorized(/./)];
      assert.equal((await w.edge.get(tag)).status, 403);
      for (const headers of [{}, elsewhere]) assert.equal((await w.edge.get(target, headers)).status, 403);
    });

    for (const [when, answers, status] of [
      ['to the client', [404], 404],
      ['behind the reply', [200, 404], 200],
    ] as const) {
      test(`a blob that was there and is gone closes its repository, told ${when}`, async () => {
        const [one, two] = [imageOf(`stays, told ${when}`), imageOf(`goes, told ${when}`)];
        const name = `library/gone-${status}`;
        for (const { item } of [one, two]) w.hub.hold(name, item);
        const [stays, goes] = [one, two].map(({ layer }) => `/v2/${name}/blobs/${layer.digest}`);
        await w.edge.get(stays!);
        assert.equal((await w.edge.get(stays!)).headers['cache-status'], 'sampan; hit');
        await w.edge.head(goes!);
        const left = [...answers];
        w.hub.levers.bend = () => (left.shift() === 404 ? { refusal: { status: 404 } } : {});
        assert.equal((await w.edge.get(goes!)).status, status);
        assert.deepEqual(left, []);
        w.hub.levers.answers = [answer.unauthorized(/./)];
        for (const headers of [{}, elsewhere]) assert.equal((await w.edge.get(stays!, headers)).status, 401);
      });
    }
  });
}

describe('who is not admitted', () => {
  test('learns nothing of what is kept', async (t) => {
    const edge = await startEdge({ access: { networks: ['192.0.2.0/24'] } });
    t.after(() => edge.close());
    const { layer } = imageOf('nobody');
    for (const headers of asked) {
      assert.equal((await edge.get(`/v2/library/x/blobs/${layer.digest}`, headers)).status, 403);
    }
  });
});

for (const [what, hosts] of [
  ['', undefined],
  [
    ', whatever hosts the configuration names',
    { 'a.another-zone.example': 'docker.io', 'hub.edge.example': 'docker.io' },
  ],
] as const) {
  test(`everything is kept under the host that was asked for, without the secret in it${what}`, async (t) => {
    const told = `const real = caches.open;
caches.open = async (name) => {
  const cache = await real.call(caches, name);
  return {
    match: (request) => cache.match(request),
    put: (url, response) => (console.log('key ' + url), cache.put(url, response)),
  };
};`;
    const hub = await startRegistry();
    const { item, layer } = imageOf('key');
    hub.hold('library/key', item, 'latest');
    const config = {
      access: 'login',
      key,
      accounts: { bob: { mac: await kept(secrets.bob) } },
      registries: { 'docker.io': { endpoints: [hub.url], login: 'account' } },
      ...(hosts && { hosts }),
    };
    const edge = await startEdge(config, { around: waiting(told) });
    t.after(() => Promise.all([edge.close(), hub.down()]));
    const headers = { host: `${secrets.bob}.edge.example` };
    const cold = await edge.get(`/v2/key/blobs/${layer.digest}`, headers);
    assert.equal(cold.headers['cache-status'], 'sampan; fwd=miss; stored');
    const keys = () => edge.log.filter((line) => line.startsWith('key '));
    while (!keys().some((line) => line.includes('/receipt/'))) await edge.get('/v2/');
    for (const line of keys()) assert.ok(line.startsWith('key https://edge.example/_sampan/2/'), line);
  });
}
