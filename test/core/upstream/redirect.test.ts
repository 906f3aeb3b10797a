// Where an upstream may send us, and what goes along.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anonymous } from '../../../src/core/access/caller.ts';
import { bench, manifestDigest, nobody, repository, send, sendManifest, serve, signal } from './bench.ts';

const reference = { repository, target: manifestDigest };
const caller = { address: '', authorization: 'Bearer secret' };

function refused(message: RegExp) {
  return (error: { code?: string; status?: number; message: string }) => {
    assert.deepEqual([error.code, error.status], ['UNAVAILABLE', 502]);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /sig|path/);
    return true;
  };
}

test('a login is shown to the registry alone: not to where it redirects, and not on a way back', async () => {
  const cdn = await serve((_request, response) => send(response, 302, { location: `${registry.url}/v2/back` }));
  const registry = await serve((request, response) => {
    if (request.url === '/v2/back') return sendManifest(request, response);
    if (request.url === '/v2/aside') return send(response, 307, { location: `${cdn.url}/blob` });
    return send(response, 301, { location: '/v2/aside' });
  });
  const { upstream } = bench({ endpoints: [registry.url], redirects: [cdn.url] });
  const manifest = await upstream.manifest(reference, caller, signal);
  assert.equal(manifest?.descriptor.digest, manifestDigest);
  assert.deepEqual(
    registry.log.map(({ url, headers }) => [url, headers.authorization]),
    [
      [`/v2/library/alpine/manifests/${manifestDigest}`, 'Bearer secret'],
      ['/v2/aside', 'Bearer secret'],
      ['/v2/back', undefined],
    ],
  );
  const [hop] = cdn.log;
  assert.equal(hop?.headers.authorization, undefined);
  assert.equal(hop?.headers.accept, registry.log[0]?.headers.accept);
  assert.equal(hop?.headers['accept-encoding'], 'identity');
});

test('method and range are kept', async () => {
  const cdn = await serve((_request, response) => send(response, 206, { 'content-range': 'bytes 5-9/10' }, '56789'));
  const registry = await serve((_request, response) => send(response, 303, { location: `${cdn.url}/x` }));
  const { upstream } = bench({ endpoints: [registry.url], redirects: [cdn.url] });
  const incoming = await upstream.blob(repository, manifestDigest, anonymous)(5, signal);
  assert.deepEqual([incoming.offset, incoming.size], [5, 10]);
  assert.equal(cdn.log[0]?.headers.range, 'bytes=5-');
  await incoming.stream[Symbol.asyncIterator]().return?.();
});

test('at most five hops are taken', async () => {
  const chain = async (hops: number) => {
    const registry = await serve((request, response) => {
      const hop = Number(request.url?.slice(1)) || 0;
      if (hop === hops) sendManifest(request, response);
      else send(response, 308, { location: `/${hop + 1}` });
    });
    return bench({ endpoints: [registry.url] }).upstream.manifest(reference, anonymous, signal);
  };
  assert.notEqual(await chain(5), undefined);
  await assert.rejects(chain(6), refused(/more than 5 times/));
});

test('a redirect beyond the policy is refused, with the line that would allow it and nothing of its path', async () => {
  const inside = await serve(() => {});
  for (const [location, message] of [
    [`${inside.url}/path?sig=1`, new RegExp(`redirects: \\["${inside.url}"\\]`)],
    ['https://cdn.test:8443/path?sig=1', /redirects: \["https:\/\/cdn\.test:8443"\]/],
    ['http://cdn.test/path?sig=1', /redirected to http:\/\/cdn\.test,/],
    ['https://user:sig@cdn.test/path', /redirected to https:\/\/cdn\.test,/],
    ['file:///path', /redirected to file:\/\/,/],
    ['https://127.0.0.1/path?sig=1', /redirects: \["https:\/\/127\.0\.0\.1"\]/],
    ['https://[::ffff:7f00:1]/path', /redirected to https:/],
    ['https://2130706433/path?sig=1', /redirected to https:\/\/127\.0\.0\.1,/],
    ['https://localhost/path?sig=1', /redirects: \["https:\/\/localhost"\]/],
    ['https://[/path', /no URL/],
  ] as const) {
    const registry = await serve((_request, response) => send(response, 307, { location }));
    const { upstream } = bench({ endpoints: [registry.url] });
    await assert.rejects(upstream.manifest(reference, anonymous, signal), refused(message), location);
    assert.equal(registry.log.length, 1, 'a refusal is final');
  }
  assert.deepEqual(inside.log, []);
});

test('other endpoints of the registry may be redirected to', async () => {
  const second = await serve(sendManifest);
  const first = await serve((_request, response) => send(response, 307, { location: `${second.url}/x` }));
  const { upstream } = bench({ endpoints: [first.url, second.url] });
  assert.notEqual(await upstream.manifest(reference, anonymous, signal), undefined);
  assert.equal(second.log[0]?.url, '/x');
});

test('a refusal of where we were redirected to is not the registry’s, and its challenge nobody’s business', async () => {
  const tokens = await serve((_request, response) => send(response, 200, {}, '{"token":"t"}'));
  const cdn = await serve((_request, response) =>
    send(response, 401, { 'www-authenticate': `Bearer realm="${tokens.url}"` }),
  );
  const registry = await serve((_request, response) => send(response, 307, { location: `${cdn.url}/x` }));
  const { upstream } = bench({ endpoints: [registry.url], redirects: [cdn.url] });
  await assert.rejects(upstream.manifest(reference, anonymous, signal), { status: 502, headers: {} });
  assert.deepEqual(tokens.log, []);
});

test('a CDN that has not what the registry said it has is in trouble; of other things it may speak for the registry', async () => {
  const cdn = await serve((_request, response) => send(response, 404));
  const registry = await serve((_request, response) => send(response, 307, { location: `${cdn.url}/x` }));
  const { upstream } = bench({ endpoints: [registry.url], redirects: [cdn.url] });
  const source = upstream.blob(repository, manifestDigest, anonymous);
  for (const offset of [0, 5]) await assert.rejects(source(offset, signal), { status: 502, passing: true });
  assert.equal(await upstream.manifest(reference, anonymous, signal), undefined);
});

test('a CDN that is down is named, and the registry is asked for another redirect', async () => {
  const gone = await nobody();
  const registry = await serve((_request, response) => send(response, 307, { location: `${gone}/path?sig=1` }));
  const { upstream, events } = bench({ endpoints: [registry.url], redirects: [gone] });
  const host = new URL(gone).host;
  await assert.rejects(upstream.manifest(reference, anonymous, signal), {
    status: 503,
    message: `${host} cannot be reached, or broke off`,
  });
  assert.equal(registry.log.length, 3);
  const hosts = events.map((event) => event.kind === 'asked' && [event.host, event.status]);
  assert.deepEqual(hosts.slice(0, 2), [
    [new URL(registry.url).host, 307],
    [host, undefined],
  ]);
});

test('it is told where an endpoint sends us over https, and where nobody else does', async () => {
  const toldBy = async (locations: Readonly<Record<string, string>>, redirects: readonly string[] = []) => {
    const registry = await serve((request, response) => {
      send(response, 307, { location: locations[request.url ?? ''] ?? locations['/'] ?? '' });
    });
    const { upstream, events } = bench({ endpoints: [registry.url], redirects });
    await assert.rejects(upstream.manifest(reference, anonymous, signal));
    return events.flatMap((event) => (event.kind === 'redirected' ? [[event.registry, event.host]] : []));
  };
  assert.deepEqual(await toldBy({ '/': 'https://localhost/blob?sig=1' }), [['registry.test', 'localhost']]);
  const cdn = await serve((_request, response) => send(response, 307, { location: 'https://localhost/blob' }));
  assert.deepEqual(await toldBy({ '/': `${cdn.url}/x` }, [cdn.url]), [], 'plain http, and then from somebody else');
  assert.deepEqual(await toldBy({ '/': 'https://cdn.test:8443/blob' }), [], 'a redirect that is not taken');
});
