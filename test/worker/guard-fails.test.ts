// The guard never is the reason for an outage: what its own faults, a slow Sentry and a dead origin do to a request.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { guarded } from './guarded.ts';

const drill = '/drill-3f9a';

describe('a guard that fails open', () => {
  const w = guarded({ config: { fail: 'open', drill } });

  for (const method of ['GET', 'HEAD', 'POST', 'DELETE']) {
    test(`gives the origin's own answer to ${method}, and tells Sentry once`, async () => {
      const before = w.sentry.events.length;
      const body = method === 'POST' ? 'a body that nobody has touched' : undefined;
      const headers = { 'x-client-ssl-protocol': 'as it came', 'user-agent': 'a client', cookie: 'a=secret' };
      const sent = { method, target: `${drill}?secret`, headers, ...(body !== undefined && { body }) };
      const { status, body: came } = await w.send(sent);
      assert.equal(status, 200);
      assert.equal(came.toString(), method === 'HEAD' ? '' : "the origin's own\n");
      assert.deepEqual(
        w.origin.log.map((each) => [each.method, each.target, each.body, each.headers['x-client-ssl-protocol']]),
        [[method, `${drill}?secret`, body ?? '', 'as it came']],
      );
      await w.sentry.until(before + 1);
      const told = w.sentry.events[before]!;
      assert.deepEqual(told.tags, { face: 'guard' });
      assert.deepEqual(told.request, {
        method,
        url: `http://${w.origin.host}${drill}`,
        headers: { 'user-agent': 'a client', ...(body !== undefined && { 'content-length': String(body.length) }) },
      });
      const { type, value, mechanism, stacktrace } = told.exception.values[0]!;
      assert.deepEqual([type, mechanism], ['Error', { type: 'guard', handled: false }]);
      assert.match(value, /^a drill:/);
      assert.match(stacktrace?.frames.at(-1)?.function ?? '', /mark/);
    });
  }

  test('is quick while Sentry is slow, and goes on when it is full', async () => {
    const before = w.sentry.events.length;
    w.sentry.answer = 'never';
    assert.equal((await w.send({ target: drill })).body.toString(), "the origin's own\n");
    await w.sentry.until(before + 1);
    assert.equal(w.sentry.blocked, 1);
    w.sentry.answer = { status: 429, headers: { 'retry-after': '3600' } };
    assert.equal((await w.send({ target: drill })).status, 200);
    await w.sentry.until(before + 2);
    assert.equal((await w.send({ target: drill })).status, 200);
  });
});

describe('an origin that fails is no fault of the guard', () => {
  const w = guarded({ config: { drill } });

  test('one that is down gives 502, in the words of who asks', async () => {
    // Where nothing listens.
    const gone = { host: '127.0.0.1:9' };
    const { status, headers, body } = await w.send({ ...gone, target: '/v2/alpine/manifests/latest' });
    assert.deepEqual([status, headers['content-type']], [502, 'application/json']);
    const message = 'the origin behind this guard did not answer';
    assert.deepEqual(JSON.parse(body.toString()), { errors: [{ code: 'UNAVAILABLE', message }] });
    assert.equal((await w.send({ ...gone, method: 'POST', body: 'x' })).body.toString(), `${message}\n`);
    assert.equal((await w.send({ ...gone, method: 'HEAD' })).body.length, 0);
  });

  test('one that breaks off is asked once, also if it has read a body', async () => {
    w.origin.answer = (request) => request.socket.resetAndDestroy();
    for (const sent of [{}, { method: 'POST', body: 'paid once' }]) {
      assert.equal((await w.send(sent)).status, 502);
      assert.equal(w.origin.log.length, 1);
      w.origin.log.length = 0;
    }
  });

  test('one that breaks off in the middle of an answer breaks off at the client', async () => {
    w.origin.answer = (_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('part', () => response.destroy());
    };
    const { status, body, complete } = await w.send({});
    assert.deepEqual([status, body.toString(), complete, w.origin.log.length], [200, 'part', false, 1]);
  });

  test('its own errors are passed on, and of all that Sentry is told nothing', async () => {
    w.origin.answer = (_, response) => void response.writeHead(500).end('mine');
    assert.equal((await w.send({})).body.toString(), 'mine');
    // The first that it hears of is this one.
    await w.send({ target: drill });
    await w.sentry.until(1);
    assert.equal(w.sentry.events.length, 1);
    assert.match(w.sentry.events[0]!.exception.values[0]!.value, /^a drill:/);
  });
});

describe('a body that was read', () => {
  const w = guarded({
    around: `globalThis.fetch = async (request, init) => {
      await new Request(request, init).text();
      throw new TypeError('after the body was read');
    };`,
  });

  test('is never sent again, neither as it was nor empty', async () => {
    assert.equal((await w.send({ method: 'POST', body: 'paid once' })).status, 502);
    assert.deepEqual(w.origin.log, []);
  });
});

describe('a guard that fails closed', () => {
  const w = guarded({ config: { fail: 'closed', drill: '/v2/drill' } });

  test('refuses in the words of a registry, asks no origin, and tells Sentry', async () => {
    const { status, headers, body } = await w.send({ target: '/v2/drill' });
    assert.deepEqual(
      [status, headers['content-type'], headers['cache-control']],
      [503, 'application/json', 'no-store'],
    );
    const message = 'the guard before this origin has failed';
    assert.deepEqual(JSON.parse(body.toString()), { errors: [{ code: 'UNAVAILABLE', message }] });
    assert.equal((await w.send({ method: 'HEAD', target: '/v2/drill' })).status, 503);
    assert.deepEqual(w.origin.log, []);
    await w.sentry.until(2);
    assert.equal(w.sentry.events[0]?.exception.values[0]?.mechanism.handled, true);
    assert.equal((await w.send({ target: '/v2/' })).status, 200);
  });
});

describe('a configuration that is wrong', () => {
  const open = guarded({ config: { fial: 'closed' } });
  const closed = guarded({
    config: { fail: 'closed', headers: { protocol: 'no name' } },
    secrets: { EDGE_SECRET: 'short' },
  });
  const broken = guarded({ config: '{' });
  const twice = guarded({ config: { headers: { protocol: 'X-TLS', cipher: 'x-tls' } } });

  test('is a fault: open, unless it is readable that it should be closed', async () => {
    for (const w of [open, broken, twice]) assert.equal((await w.send({})).body.toString(), "the origin's own\n");
    const { status, body } = await closed.send({});
    assert.deepEqual([status, body.toString()], [503, 'the guard before this origin has failed\n']);
  });

  test('is told, with what is wrong and without secrets', async () => {
    for (const [w, says] of [
      [open, /fial: found an unknown key; did you mean fail\?/],
      [closed, /headers\.protocol: found "no name"[^]*EDGE_SECRET: edge_secret: found something else/],
      [twice, /headers: found x-tls twice/],
    ] as const) {
      await w.send({});
      await w.sentry.until(1);
      assert.match(w.sentry.events[0]!.exception.values[0]!.value, says);
    }
  });
});
