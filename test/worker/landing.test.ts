// What the Worker's page tells people to type, by who they are and how this host wants them to log in.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { key, secrets } from '../conformance/door.ts';
import { startEdge } from './edge.ts';

const hosts = { 'hub.example.com': 'docker.io', 'ghcr.example.com': 'ghcr.io' };

async function pageOf(t: TestContext, config: Parameters<typeof startEdge>[0], host = 'hub.example.com', path = '/') {
  const edge = await startEdge({ key, hosts, ...(config as object) });
  t.after(() => edge.close());
  const { status, body } = await edge.get(path, { host });
  assert.equal(status, 200);
  return body.toString();
}

describe('the page', () => {
  test('for who must log in with an account tells how, where the secret stands for daemons, and no other registry', async (t) => {
    const page = await pageOf(t, { access: 'login', registries: { 'docker.io': { login: 'account' } } });
    assert.match(
      page,
      /First, log in<\/h2>\n<pre>docker login hub\.example\.com<\/pre>\n<p>with the name and the secret/,
    );
    assert.match(page, /<pre>docker pull hub\.example\.com\/alpine<\/pre>/);
    assert.match(page, /"registry-mirrors": \["https:\/\/SECRET\.hub\.example\.com"\]/);
    assert.match(page, /\[host\."https:\/\/hub\.example\.com\/SECRET"\]/);
    assert.doesNotMatch(page, /ghcr\.io|quay\.io/);
  });

  test('for who must log in with the registry’s login says whose, and of no mirror that cannot log in', async (t) => {
    const page = await pageOf(t, { access: 'login', registries: { 'ghcr.io': { login: 'own' } } }, 'ghcr.example.com');
    assert.match(
      page,
      /docker login ghcr\.example\.com<\/pre>\n<p>with your name and password, or access token, of ghcr\.io/,
    );
    assert.match(page, /docker pull ghcr\.example\.com\/owner\/image/);
    assert.doesNotMatch(page, /docker\.io|SECRET|hosts\.toml/);
  });

  test('for who may log in has the commands that need no login first', async (t) => {
    const page = await pageOf(t, { access: 'open', registries: { 'docker.io': { login: 'own' } } });
    assert.match(
      page,
      /docker pull hub\.example\.com\/alpine[^]*For private images, log in<\/h2>\n<pre>docker login hub/,
    );
    assert.match(page, /"registry-mirrors": \["https:\/\/hub\.example\.com"\]/);
    assert.match(page, /docker pull hub\.example\.com\/ghcr\.io\/owner\/image/);
  });

  test('on one’s own machine, where there is no TLS, says so', async (t) => {
    const page = await pageOf(t, { access: 'open' }, 'localhost:8787');
    assert.match(page, /"registry-mirrors": \["http:\/\/localhost:8787"\]/);
    assert.match(page, /\[host\."http:\/\/localhost:8787"\]/);
  });

  test('where nobody logs in says nothing of it', async (t) => {
    assert.doesNotMatch(await pageOf(t, { access: 'open' }), /docker login/);
  });

  test('says no secret that is in its address', async (t) => {
    const config = { access: 'login', registries: { 'docker.io': { login: 'account' } } };
    for (const [host, path] of [
      [`${secrets.bob}.hub.example.com`, '/'],
      ['hub.example.com', `/${secrets.bob}/`],
    ] as const) {
      const page = await pageOf(t, config, host, path);
      assert.ok(!page.includes(secrets.bob.slice(7)));
      assert.match(page, /docker pull hub\.example\.com\/alpine/);
    }
  });
});
