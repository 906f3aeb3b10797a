// Names looked up over HTTPS, at a resolver that reads strictly and misbehaves on demand.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { hostname } from 'node:os';
import { before, describe, test, type TestContext } from 'node:test';
import { ForbiddenAddress } from '../../../src/core/upstream/fetch.ts';
import { createDial } from '../../../src/node/dial/dial.ts';
import { createDoh } from '../../../src/node/dial/doh.ts';
import { type LookUp, publicOnly } from '../../../src/node/dial/resolve.ts';
import { createFetch } from '../../../src/node/fetch.ts';
import { believedCertificate, type Certificate } from '../../fakes/certificate.ts';
import { type FakeResolver, noLevers, startResolver } from '../../fakes/resolver.ts';
import { need } from '../../lab/need.ts';

const hour = 3_600_000;

interface World {
  readonly resolver: FakeResolver;
  readonly lookUp: LookUp;
  /** Milliseconds pass. */
  pass(ms: number): void;
}

describe('DNS over HTTPS', { skip: need('openssl') }, () => {
  let certificate: Certificate;
  before(async () => void (certificate = await believedCertificate('dns.test')));

  async function start(t: TestContext, options: { patience?: number; http2?: boolean } = {}): Promise<World> {
    let now = 1_000_000;
    const { patience = 10_000, http2 = true } = options;
    const resolver = await startResolver(certificate);
    t.after(() => resolver.down());
    // By name, which only a pin leads anywhere.
    const pin = { host: '127.0.0.1', port: resolver.port };
    const { fetch, close } = createFetch({ dial: createDial({ resolve: { 'dns.test': pin } }), http2 });
    t.after(close);
    const clock = { now: () => now, sleep: async () => {} };
    const lookUp = createDoh({ url: 'https://dns.test/dns-query', fetch, clock, patience });
    return { resolver, lookUp, pass: (ms) => void (now += ms) };
  }

  for (const http2 of [true, false]) {
    test(`a name has the addresses of both families, over HTTP/${http2 ? 2 : 1.1}`, async (t) => {
      const { resolver, lookUp } = await start(t, { http2 });
      resolver.entries['two.test'] = { A: ['192.0.2.1', '192.0.2.2'], AAAA: ['2001:db8:0:0:0:0:0:1'] };
      assert.deepEqual(await lookUp('two.test'), [
        { address: '2001:db8::1', family: 6 },
        { address: '192.0.2.1', family: 4 },
        { address: '192.0.2.2', family: 4 },
      ]);
      assert.deepEqual(resolver.asked.toSorted(), ['A two.test', 'AAAA two.test']);
      assert.deepEqual([...resolver.spoken], [http2 ? '2.0' : '1.1']);
    });
  }

  test('a name is the same with another case and a dot at its end', async (t) => {
    const { resolver, lookUp } = await start(t);
    resolver.entries['a.test'] = { A: ['192.0.2.1'] };
    for (const host of ['a.test', 'A.Test', 'a.test.']) assert.equal((await lookUp(host)).length, 1);
    assert.equal(resolver.asked.length, 2);
  });

  test('another name for it is followed, and addresses of names that were not asked for are ignored', async (t) => {
    const { resolver, lookUp } = await start(t);
    resolver.entries['www.test'] = { alias: 'cdn.test', A: ['192.0.2.7'] };
    assert.deepEqual(await lookUp('www.test'), [{ address: '192.0.2.7', family: 4 }]);
    resolver.entries['own.test'] = { A: ['192.0.2.8'], beside: { 'other.test': '192.0.2.9' } };
    assert.deepEqual(await lookUp('own.test'), [{ address: '192.0.2.8', family: 4 }]);
  });

  test('names that lead in a circle have no address', async (t) => {
    const { resolver, lookUp } = await start(t);
    resolver.entries['round.test'] = { alias: 'round.test' };
    await assert.rejects(lookUp('round.test'), { code: 'ENOTFOUND' });
  });

  test('no such name, a name without addresses and what can be no name are not found', async (t) => {
    const { resolver, lookUp } = await start(t);
    resolver.entries['empty.test'] = {};
    for (const host of ['nobody.test', 'empty.test', `${'a'.repeat(64)}.test`, 'a..test', `${'a.'.repeat(130)}test`]) {
      await assert.rejects(lookUp(host), { code: 'ENOTFOUND' }, host);
    }
    assert.equal(resolver.asked.length, 4, 'the last three are asked of nobody');
  });

  test('this machine is asked of nobody', async (t) => {
    const { resolver, lookUp } = await start(t);
    assert.ok((await lookUp('localhost')).some(({ address }) => address === '127.0.0.1'));
    assert.deepEqual(resolver.asked, []);
  });

  test('an answer holds as long as it says, at least ten seconds and at most an hour', async (t) => {
    const { resolver, lookUp, pass } = await start(t);
    Object.assign(resolver.entries, {
      'brief.test': { A: ['192.0.2.1'], ttl: 0 },
      'usual.test': { A: ['192.0.2.1'], ttl: 60 },
      'eternal.test': { A: ['192.0.2.1'], ttl: 4_000_000 },
    });
    const holds = { 'brief.test': 10_000, 'usual.test': 60_000, 'eternal.test': hour, 'nobody.test': 10_000 };
    for (const [host, ms] of Object.entries(holds)) {
      const look = () => lookUp(host).catch(() => []);
      resolver.asked.length = 0;
      await look();
      pass(ms - 1);
      await look();
      assert.equal(resolver.asked.length, 2, host);
      pass(1);
      await look();
      assert.equal(resolver.asked.length, 4, host);
    }
  });

  test('who asks at the same time shares a question', async (t) => {
    const { resolver, lookUp } = await start(t);
    resolver.entries['busy.test'] = { A: ['192.0.2.1'] };
    await Promise.all(Array.from({ length: 50 }, () => lookUp('busy.test')));
    assert.equal(resolver.asked.length, 2);
  });

  test('not more than a thousand names are remembered', async (t) => {
    const { resolver, lookUp } = await start(t);
    const names = Array.from({ length: 1001 }, (_, n) => `n${n}.test`);
    for (const name of names) resolver.entries[name] = { A: ['192.0.2.1'] };
    await Promise.all(names.map((name) => lookUp(name)));
    resolver.asked.length = 0;
    await lookUp('n1000.test');
    assert.equal(resolver.asked.length, 0);
    await lookUp('n0.test');
    assert.equal(resolver.asked.length, 2);
  });

  test('a question that fails is asked once more, and an answer is then an answer', async (t) => {
    const { resolver, lookUp } = await start(t);
    resolver.entries['a.test'] = { A: ['192.0.2.1'] };
    resolver.levers.firstStatus = 502;
    assert.equal((await lookUp('a.test')).length, 1);
  });

  test('an answer of one family is enough if there is none of the other, and is asked for again soon', async (t) => {
    const { resolver, lookUp, pass } = await start(t, { patience: 500 });
    resolver.entries['a.test'] = { A: ['192.0.2.1'] };
    resolver.levers.silent = 'AAAA';
    assert.deepEqual(await lookUp('a.test'), [{ address: '192.0.2.1', family: 4 }]);
    resolver.asked.length = 0;
    pass(10_000);
    await lookUp('a.test');
    assert.ok(resolver.asked.length > 0);
  });

  describe('a resolver that fails is no answer, and nobody else is asked:', () => {
    const failures: readonly (readonly [string, Partial<FakeResolver['levers']>])[] = [
      ['it is silent', { silent: 'both' }],
      ['it breaks off', { breaks: true }],
      ['it answers with an error of HTTP', { status: 503 }],
      ['it answers with a page', { contentType: 'text/html' }],
      ['it answers that it failed', { code: 2 }],
      ['it answers that it refuses', { code: 5 }],
      ['it answers nonsense', { bytes: Buffer.from('nonsense') }],
      ['it answers nothing', { bytes: Buffer.alloc(0) }],
      ['it answers too much', { bytes: Buffer.alloc(70_000) }],
      ['it answers another question', { asks: 'other.test' }],
    ];
    for (const [what, levers] of failures) {
      test(what, async (t) => {
        const { resolver, lookUp } = await start(t, { patience: levers.silent === undefined ? 10_000 : 500 });
        // The system knows this name, and leads to where somebody listens.
        const host = hostname().toLowerCase();
        const server = createServer(() => assert.fail('the system was asked'));
        await once(server.listen(0), 'listening');
        t.after(() => server.close());
        const dial = createDial({ lookUp });
        const { port } = server.address() as AddressInfo;
        const look = () => dial({ host, port, trust: 'configured' }, { signal: t.signal });
        resolver.entries[host] = { A: ['127.0.0.1'] };
        Object.assign(resolver.levers, levers);
        await assert.rejects(look(), { code: 'EAI_AGAIN' });
        // It is not held against it.
        resolver.levers = noLevers();
        server.removeAllListeners('connection');
        (await look()).destroy();
      });
    }
  });

  test('a connection goes where the resolver says, whatever the system does', async (t) => {
    const { resolver, lookUp } = await start(t);
    const server = createServer((socket) => socket.on('error', () => {}).resume());
    await once(server.listen(0, '127.0.0.2'), 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    for (const host of ['registry.test', 'registry.localhost', hostname().toLowerCase()]) {
      resolver.entries[host] = { A: ['127.0.0.2'] };
      const socket = await createDial({ lookUp })({ host, port, trust: 'configured' }, { signal: t.signal });
      assert.equal(socket.remoteAddress, '127.0.0.2');
      socket.destroy();
    }
  });

  test('what it says of names that somebody else chose is checked like any DNS', async (t) => {
    const { resolver, lookUp } = await start(t);
    resolver.entries['mixed.test'] = { A: ['8.8.8.8', '169.254.169.254'] };
    resolver.entries['six.test'] = { A: ['8.8.8.8'], AAAA: ['0:0:0:0:0:ffff:7f00:1'] };
    for (const host of ['mixed.test', 'six.test', 'localhost']) {
      await assert.rejects(publicOnly(lookUp)(host), ForbiddenAddress, host);
      const dial = createDial({ lookUp });
      await assert.rejects(dial({ host, port: 443, trust: 'public' }, { signal: t.signal }), ForbiddenAddress, host);
    }
  });
});
