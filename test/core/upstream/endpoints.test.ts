// Several endpoints and mirrors of one registry: who is asked, when, and whose word counts.
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { anonymous } from '../../../src/core/access/caller.ts';
import { type Source, letGo } from '../../../src/core/mirror/ports.ts';
import { parseTag } from '../../../src/core/oci/reference.ts';
import {
  type Handle,
  bench,
  manifestBytes,
  manifestDigest,
  nobody,
  ociImage,
  repository,
  send,
  sendManifest,
  serve,
  signal,
} from './bench.ts';

const byTag = { repository, target: parseTag('latest') };
const byDigest = { repository, target: manifestDigest };
const caller = { address: '', authorization: 'Bearer secret' };

test('an endpoint that is down, stumbles, is overloaded or talks nonsense is passed over', async () => {
  const broken = await serve((_request, response) => send(response, 503));
  const busy = await serve((_request, response) => send(response, 429));
  const silly = await serve((_request, response) => send(response, 200, { 'content-type': 'text/html' }, '<html>'));
  const good = await serve(sendManifest);
  for (const first of [await nobody(), broken.url, busy.url, silly.url]) {
    const { upstream } = bench({ endpoints: [first, good.url] });
    assert.equal((await upstream.manifest(byTag, anonymous, signal))?.descriptor.digest, manifestDigest);
  }
});

test('one whose manifest, list or token stops coming is left for the next, while there is time for that', async () => {
  const stops = (status: number, headers: Record<string, string>): Handle => {
    return (_request, response) => response.writeHead(status, { ...headers, 'content-length': 1000 }).write('{');
  };
  const json = { 'content-type': 'application/json' };
  const issuer = await serve(stops(200, json));
  const wanting: Handle = (_request, response) =>
    send(response, 401, { 'www-authenticate': `Bearer realm="${issuer.url}/token"` });
  const list: Handle = (_request, response) => send(response, 200, json, '{"name":"x","tags":["a"]}');
  for (const [first, second, tags] of [
    [stops(200, { 'content-type': ociImage }), sendManifest, false],
    [stops(200, json), list, true],
    [wanting, sendManifest, false],
  ] as const) {
    const endpoints = [(await serve(first)).url, (await serve(second)).url];
    const { upstream, clock, events } = bench({ endpoints, realms: [`${issuer.url}/token`] });
    const asked = tags ? upstream.tags(repository, '', anonymous, signal) : upstream.manifest(byTag, anonymous, signal);
    while (!events.some((event) => event.kind === 'asked' && event.status === 200)) await setImmediate();
    await setImmediate();
    clock.forward(10_000);
    assert.ok((await asked) !== undefined);
  }
});

test('what a trusted endpoint denies, the others are not asked for', async () => {
  const other = await serve(sendManifest);
  for (const [status, code] of [
    [401, 'UNAUTHORIZED'],
    [403, 'DENIED'],
  ] as const) {
    const first = await serve((_request, response) => send(response, status));
    const { upstream } = bench({ endpoints: [first.url, other.url], mirrors: [other.url] });
    await assert.rejects(upstream.manifest(byDigest, anonymous, signal), { code });
  }
  const without = await serve((_request, response) => send(response, 404));
  const { upstream } = bench({ endpoints: [without.url, other.url], mirrors: [other.url] });
  assert.equal(await upstream.manifest(byDigest, anonymous, signal), undefined);
  assert.deepEqual(other.log, []);
});

test('when all fail, the first one’s reason is told', async () => {
  const busy = await serve((_request, response) => send(response, 429, { 'retry-after': '7' }));
  const { upstream } = bench({ endpoints: [busy.url, await nobody()] });
  await assert.rejects(upstream.resolve(byTag, anonymous, signal), {
    code: 'TOOMANYREQUESTS',
    headers: { 'retry-after': '7' },
  });
});

test('a refusal of another is no answer where the first one limits us', async () => {
  const busy = await serve((_request, response) => send(response, 429, { 'retry-after': '7' }));
  for (const status of [401, 403]) {
    const closed = await serve((_request, response) => send(response, status));
    const { upstream } = bench({ endpoints: [busy.url, closed.url] });
    await assert.rejects(upstream.resolve(byTag, caller, signal), { status: 429, headers: { 'retry-after': '7' } });
    await assert.rejects(upstream.resolve(byTag, anonymous, signal), { status: 429, headers: { 'retry-after': '7' } });
  }
});

test('what one endpoint has granted is shown to no other, also when that one is down', async () => {
  const [one, other] = [await serve(sendManifest), await serve(sendManifest)];
  const { upstream } = bench({ endpoints: [one.url, other.url] });
  assert.ok(await upstream.manifest(byTag, { ...caller, grantor: other.url }, signal));
  assert.deepEqual([one.log.length, other.log.length], [0, 1]);
  const broken = bench({ endpoints: [one.url, await nobody()] });
  const [, grantor] = [one.url, await nobody()];
  await assert.rejects(broken.upstream.manifest(byTag, { ...caller, grantor }, signal), { status: 503 });
  assert.equal(one.log.length, 0);
});

test('what a client brings along itself is shown to the first endpoint only, whatever becomes of that', async () => {
  const other = await serve(sendManifest);
  const broken = await serve((_request, response) => send(response, 503));
  for (const first of [await nobody(), broken.url]) {
    const { upstream } = bench({ endpoints: [first, other.url] });
    for (let asked = 0; asked < 2; asked += 1) {
      await assert.rejects(upstream.manifest(byTag, caller, signal), { status: 503 });
      await assert.rejects(upstream.blob(repository, manifestDigest, caller)(0, signal), { status: 503 });
    }
  }
  assert.deepEqual(other.log, []);
});

test('a mirror is asked by digest only, after the endpoints, anonymously, and never for a judgement', async () => {
  const mirror = await serve((request, response) => {
    if (request.url?.includes('/manifests/')) sendManifest(request, response);
    else send(response, 200, { 'content-length': '5' }, 'bytes');
  });
  const { upstream } = bench({ endpoints: [await nobody()], mirrors: [mirror.url] });
  const unavailable = { code: 'UNAVAILABLE' };
  await assert.rejects(upstream.manifest(byTag, anonymous, signal), unavailable);
  await assert.rejects(upstream.resolve(byTag, anonymous, signal), unavailable);
  await assert.rejects(upstream.resolve(byDigest, anonymous, signal), unavailable);
  await assert.rejects(upstream.stat(repository, manifestDigest, anonymous, signal), unavailable);
  await assert.rejects(upstream.tags(repository, '', anonymous, signal), unavailable);
  await assert.rejects(upstream.referrers(repository, manifestDigest, '', anonymous, signal), unavailable);
  await assert.rejects(upstream.manifest(byDigest, caller, signal), unavailable);
  await assert.rejects(upstream.blob(repository, manifestDigest, caller)(0, signal), unavailable);
  assert.equal(mirror.log.length, 0);

  assert.deepEqual((await upstream.manifest(byDigest, anonymous, signal))?.bytes, new Uint8Array(manifestBytes));
  const incoming = await upstream.blob(repository, manifestDigest, anonymous)(0, signal);
  await incoming.stream[Symbol.asyncIterator]().return?.();
  assert.deepEqual(
    mirror.log.map(({ headers }) => headers.authorization),
    [undefined, undefined],
  );
});

test('what a mirror has not, refuses or forges says nothing', async () => {
  const forged = await serve((_request, response) =>
    send(response, 200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }, '{}'),
  );
  const without = await serve((_request, response) => send(response, 404));
  const closed = await serve((_request, response) => send(response, 403));
  const down = await nobody();
  const failing = { endpoints: [down], mirrors: [forged.url, without.url, closed.url] };
  const { host } = new URL(down);
  await assert.rejects(bench(failing).upstream.manifest(byDigest, anonymous, signal), {
    code: 'UNAVAILABLE',
    message: new RegExp(host),
  });
  const good = await serve(sendManifest);
  const { upstream } = bench({ ...failing, mirrors: [...failing.mirrors, good.url] });
  assert.equal((await upstream.manifest(byDigest, anonymous, signal))?.descriptor.digest, manifestDigest);
});

test('a mirror is asked before an endpoint that lied about a digest, and a lying mirror after it', async () => {
  const wrong = (_request: unknown, response: ServerResponse) =>
    send(response, 200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }, '{}');
  const right: Handle = (request, response) => sendManifest(request, response);
  let liar: 'endpoint' | 'mirror' = 'endpoint';
  const endpoint = await serve((...asked) => (liar === 'endpoint' ? wrong : right)(...asked));
  const mirror = await serve((...asked) => (liar === 'mirror' ? wrong : right)(...asked));
  const { upstream } = bench({ endpoints: [endpoint.url], mirrors: [mirror.url] });
  const ask = async () => (await upstream.manifest(byDigest, anonymous, signal))?.descriptor.digest;
  const asked = () => [endpoint.log.splice(0).length, mirror.log.splice(0).length];
  assert.equal(await ask(), manifestDigest);
  assert.deepEqual(asked(), [1, 1]);
  assert.equal(await ask(), manifestDigest);
  assert.deepEqual(asked(), [0, 1]);
  liar = 'mirror';
  assert.equal(await ask(), manifestDigest);
  assert.deepEqual(asked(), [1, 1]);
  assert.equal(await ask(), manifestDigest);
  assert.deepEqual(asked(), [1, 0]);
});

test('of a digest that somebody lied about, all comes from who has begun to bring it', async () => {
  let isDown = true;
  const blob: Handle = (_request, response) => send(response, 200, { 'content-length': '5' }, 'bytes');
  const suspect = await serve(blob);
  const other = await serve((...asked) => (isDown ? send(asked[1], 503) : blob(...asked)));
  const { upstream } = bench({ endpoints: [suspect.url, other.url] });
  const open = async (source: Source) => {
    const incoming = await source(0, signal);
    await letGo(incoming);
    return incoming;
  };
  (await open(upstream.blob(repository, manifestDigest, anonymous))).blame?.(false);
  const source = upstream.blob(repository, manifestDigest, anonymous);
  await open(source);
  const tries = other.log.length;
  assert.ok(tries > 0, 'who is not suspected is asked first');
  isDown = false;
  await open(source);
  assert.deepEqual([suspect.log.length, other.log.length], [3, tries]);
});

test('whoever has left is not carried on to the next endpoint', async () => {
  const leaving = new AbortController();
  const reason = new Error('the client has left');
  const first = await serve((request) => {
    leaving.abort(reason);
    request.socket.destroy();
  });
  const second = await serve(sendManifest);
  const { upstream } = bench({ endpoints: [first.url, second.url] });
  await assert.rejects(upstream.manifest(byDigest, anonymous, leaving.signal), reason);
  assert.deepEqual(second.log, []);
});

test('an unknown registry is NAME_UNKNOWN', async () => {
  const { upstream } = bench({ endpoints: [await nobody()] });
  const reference = { ...byTag, repository: { registry: 'elsewhere.test', name: 'a' } };
  await assert.rejects(upstream.resolve(reference, anonymous, signal), { code: 'NAME_UNKNOWN', status: 404 });
});

test('an endpoint that is dead costs its time once, and none is begun when a client has waited long enough', async () => {
  const good = await serve(sendManifest);
  const dead = await nobody();
  const { upstream, events } = bench({ endpoints: [dead, good.url] });
  const hosts = () => events.flatMap((event) => (event.kind === 'asked' ? [event.host] : []));
  await upstream.manifest(byTag, anonymous, signal);
  const before = hosts().length;
  await upstream.manifest(byTag, anonymous, signal);
  assert.deepEqual(hosts().slice(before), [new URL(good.url).host]);

  const hang = await serve((_request, response) => {
    late.clock.time += 16_000;
    response.destroy();
  });
  const late = bench({ endpoints: [hang.url, good.url] });
  await assert.rejects(late.upstream.manifest(byTag, anonymous, signal), { status: 503 });
});

test('gone for good is not there, and withheld by law is denied', async () => {
  const gone = bench({ endpoints: [(await serve((_request, response) => send(response, 410))).url] });
  assert.equal(await gone.upstream.manifest(byTag, anonymous, signal), undefined);
  const withheld = bench({ endpoints: [(await serve((_request, response) => send(response, 451))).url] });
  await assert.rejects(withheld.upstream.manifest(byTag, anonymous, signal), { code: 'DENIED' });
});

test('an endpoint that limits us is asked last for as long as it says, and says who it is and whom it counts', async () => {
  const limits = { 'retry-after': '60', 'docker-ratelimit-source': '2001:db8::/64' };
  const busy = await serve((_request, response) => send(response, 429, limits));
  const good = await serve(sendManifest);
  const { upstream, clock } = bench({ endpoints: [busy.url, good.url] });
  for (let pulls = 0; pulls < 3; pulls += 1) await upstream.manifest(byTag, anonymous, signal);
  assert.equal(busy.log.length, 1);
  clock.time += 60_000;
  await upstream.manifest(byTag, anonymous, signal);
  assert.equal(busy.log.length, 2);

  const alone = bench({ endpoints: [busy.url] }).upstream;
  const { host } = new URL(busy.url);
  await assert.rejects(alone.manifest(byTag, anonymous, signal), {
    message: `${host} answered 429: it counts the requests of 2001:db8::/64`,
    detail: { limitedBy: host, source: '2001:db8::/64' },
  });
});

test('an endpoint that limits a client’s own login is asked first by everybody else', async () => {
  const busy = await serve((request, response) =>
    request.headers.authorization === undefined ? sendManifest(request, response) : send(response, 429),
  );
  const good = await serve(sendManifest);
  const { upstream, events } = bench({ endpoints: [busy.url, good.url] });
  await assert.rejects(upstream.manifest(byTag, caller, signal), { status: 429 });
  assert.ok(await upstream.manifest(byTag, anonymous, signal));
  assert.deepEqual(good.log, []);
  assert.ok(!events.some(({ kind }) => kind === 'aside'));
});
