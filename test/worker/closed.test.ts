// Who may pull through a Worker, what it tells those who may not, and what its page says.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { image } from '../fakes/registry/content.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { errorOf, startEdge } from './edge.ts';

type Config = Parameters<typeof startEdge>[0];

async function edgeWith(t: TestContext, config?: Config) {
  const edge = await startEdge(config);
  t.after(() => edge.close());
  return edge;
}

describe('a Worker', () => {
  for (const [what, config] of [
    ['that nobody has told anything', undefined],
    ['that was not told who may pull', { hosts: { 'hub.example.com': 'docker.io' } }],
  ] as const) {
    test(`${what} is closed, and its page says how to open it`, async (t) => {
      const edge = await edgeWith(t, config);
      for (const target of ['/v2/', '/v2/alpine/manifests/latest', '/anything']) {
        const refused = await edge.get(target);
        assert.equal(refused.status, 503);
        assert.equal(refused.headers['docker-distribution-api-version'], 'registry/2.0');
        assert.equal(errorOf(refused).code, 'UNAVAILABLE');
        assert.match(errorOf(refused).message, /access.*SAMPAN_CONFIG/);
      }
      const { status, body } = await edge.get('/');
      assert.equal(status, 503);
      assert.match(body.toString(), /"access".*"networks"/);
    });
  }

  test('with a wrong configuration serves nothing, tells its owner all and the public nothing of it', async (t) => {
    const edge = await edgeWith(t, {
      access: 'open',
      data: '/var/lib/sampan',
      registries: { 'docker.io': { lanes: 2 } },
    });
    const refused = await edge.get('/v2/');
    assert.equal(refused.status, 503);
    const page = await edge.get('/');
    for (const text of [refused.body.toString(), page.body.toString()]) {
      assert.match(text, /wrangler tail/);
      assert.doesNotMatch(text, /var|lanes/);
    }
    await edge.logged(/data: found a key for a sampan on a machine of your own/);
    await edge.logged(/registries\.docker\.io\.lanes: found a key for a sampan/);
  });

  test('for networks serves those who are in them, and tells others nothing', async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.down());
    const item = registry.hold('library/alpine', image(), 'latest');
    const registries = { 'docker.io': { endpoints: [registry.url] }, 'secret.example': {} };
    const edge = await edgeWith(t, { access: { networks: ['192.0.2.0/24', '2001:db8::/32'] }, registries });
    for (const address of ['192.0.2.9', '2001:db8::9']) {
      const headers = { 'cf-connecting-ip': address };
      const served = await edge.get('/v2/alpine/manifests/latest', headers);
      assert.deepEqual(served.body, item.body);
      assert.match((await edge.get('/', headers)).body.toString(), /secret\.example/);
    }
    const strangers: Record<string, string>[] = [
      { 'cf-connecting-ip': '198.51.100.1' },
      { 'x-forwarded-for': '192.0.2.9' },
      {},
    ];
    for (const headers of strangers) {
      for (const target of ['/v2/', '/v2/alpine/manifests/latest', '/v2/a/manifests/b?ns=nothing.example']) {
        assert.equal(errorOf(await edge.get(target, headers)).code, 'DENIED');
      }
      const { status, body } = await edge.get('/', headers);
      assert.equal(status, 200);
      assert.doesNotMatch(body.toString(), /secret\.example|docker\.io/);
    }
  });

  test('takes its configuration as text too', async (t) => {
    const edge = await edgeWith(t, '{ "access": "open" }');
    assert.equal((await edge.get('/v2/')).status, 200);
  });

  test('has a page with the commands for its own host, which no search engine lists', async (t) => {
    const hosts = { 'ghcr.example.com': 'ghcr.io', 'hub.example.com': 'docker.io' };
    const edge = await edgeWith(t, { access: 'open', hosts });
    const hub = await edge.get('/', { host: 'hub.example.com' });
    assert.match(hub.body.toString(), /docker pull hub\.example\.com\/alpine\n?</);
    assert.match(hub.body.toString(), /"registry-mirrors": \["https:\/\/hub\.example\.com"\]/);
    const ghcr = (await edge.get('/', { host: 'ghcr.example.com' })).body.toString();
    assert.match(ghcr, /docker pull ghcr\.example\.com\/owner\/image/);
    assert.doesNotMatch(ghcr, /registry-mirrors/);
    assert.match(hub.headers['x-robots-tag'] as string, /noindex/);
    assert.match((await edge.get('/robots.txt')).body.toString(), /Disallow: \//);
    assert.equal((await edge.head('/')).body.length, 0);
  });

  test('takes no pushes, and no logins on its page', async (t) => {
    const edge = await edgeWith(t, { access: 'open' });
    for (const [method, target] of [
      ['POST', '/'],
      ['PUT', '/v2/a/manifests/b'],
      ['OPTIONS', '/v2/'],
    ] as const) {
      assert.equal((await edge.ask({ method, target })).status, 405);
    }
  });
});
