// All that goes out, as it is configured: TLS from end to end whoever stands between, and names that nobody can put a lie to.
import assert from 'node:assert/strict';
import { before, describe, test, type TestContext } from 'node:test';
import { ForbiddenAddress, type UpstreamRequest } from '../../src/core/upstream/fetch.ts';
import { parseVia } from '../../src/node/config/via.ts';
import { createOutbound, type Way } from '../../src/node/outbound.ts';
import { believedCertificate, type Certificate } from '../fakes/certificate.ts';
import { type FakeResolver, startResolver } from '../fakes/resolver.ts';
import { startSocks } from '../fakes/socks.ts';
import { need } from '../lab/need.ts';

const plain: Way = { resolve: {}, dns: undefined, via: undefined, timeouts: {} };
const clock = { now: () => 0, sleep: async () => {} };

describe('what goes out', { skip: need('openssl') }, () => {
  let certificate: Certificate;
  before(async () => void (certificate = await believedCertificate('upstream.test')));

  function going(t: TestContext, settings: Partial<Way>) {
    const { fetch, close } = createOutbound({ ...plain, ...settings }, clock);
    t.after(close);
    return (url: string, more: Partial<UpstreamRequest> = {}) =>
      fetch({ method: 'GET', url, headers: {}, signal: t.signal, trust: 'configured', ...more });
  }

  /** Any server with that certificate, which finds fault with whatever is asked here. */
  async function upstream(t: TestContext): Promise<FakeResolver> {
    const server = await startResolver(certificate);
    t.after(() => server.down());
    return server;
  }

  test('TLS goes through a proxy from end to end, by the name that was asked for', async (t) => {
    const [server, socks] = [await upstream(t), await startSocks()];
    t.after(() => socks.down());
    Object.assign(socks.names, { 'upstream.test': '127.0.0.1', 'other.test': '127.0.0.1' });
    const fetch = going(t, { via: parseVia(`socks5://127.0.0.1:${socks.port}`) });
    const { status, cancel } = await fetch(`https://upstream.test:${server.port}/`);
    cancel();
    assert.equal(status, 400);
    await assert.rejects(fetch(`https://other.test:${server.port}/`), /not believed \(ERR_TLS_CERT_ALTNAME_INVALID\)/);
    assert.deepEqual(
      socks.asked,
      ['upstream.test', 'other.test'].map((host) => `name ${host}:${server.port}`),
    );
  });

  test('TLS is with who has the name, wherever the resolver says that it is; a pin comes first', async (t) => {
    const server = await upstream(t);
    Object.assign(server.entries, { 'upstream.test': { A: ['127.0.0.1'] }, 'other.test': { A: ['127.0.0.1'] } });
    const pins = { 'pinned.test': { host: '127.0.0.1', port: server.port } };
    const fetch = going(t, { dns: server.url, resolve: pins });
    const { status, cancel } = await fetch(`https://upstream.test:${server.port}/`);
    cancel();
    assert.equal(status, 400);
    for (const name of [`other.test:${server.port}`, 'pinned.test']) {
      await assert.rejects(fetch(`https://${name}/`), /not believed \(ERR_TLS_CERT_ALTNAME_INVALID\)/);
    }
    const names = server.asked.map((each) => each.split(' ')[1]);
    assert.deepEqual(new Set(names), new Set(['upstream.test', 'other.test']));
  });

  test('a resolver that somebody else stands in for is not believed', async (t) => {
    const server = await upstream(t);
    const pins = { 'dns.test': { host: '127.0.0.1', port: server.port } };
    server.entries['upstream.test'] = { A: ['127.0.0.1'] };
    const fetch = going(t, { dns: 'https://dns.test/dns-query', resolve: pins });
    await assert.rejects(fetch(`https://upstream.test:${server.port}/`), { code: 'EAI_AGAIN' });
    assert.deepEqual(server.asked, []);
  });

  test('where a redirect leads is checked, by what the resolver says', async (t) => {
    const server = await upstream(t);
    server.entries['upstream.test'] = { A: ['8.8.8.8', '127.0.0.1'] };
    const fetch = going(t, { dns: server.url });
    await assert.rejects(fetch(`https://upstream.test:${server.port}/`, { trust: 'public' }), ForbiddenAddress);
  });
});
