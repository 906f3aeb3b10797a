// What an upstream's answers turn into, honest ones and others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anonymous } from '../../../src/core/access/caller.ts';
import { acceptManifests } from '../../../src/core/oci/manifest.ts';
import { parseTag } from '../../../src/core/oci/reference.ts';
import { schema1 } from '../../fakes/registry/oddities.ts';
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
  sha256,
  signal,
  upstreamThat,
} from './bench.ts';

const byTag = { repository, target: parseTag('latest') };
const byDigest = { repository, target: manifestDigest };
const descriptor = { mediaType: ociImage, digest: manifestDigest, size: manifestBytes.length };

test('a HEAD that tells all is enough', async () => {
  const { upstream, log } = await upstreamThat(sendManifest, '/some/prefix/');
  assert.deepEqual(await upstream.resolve(byTag, anonymous, signal), { descriptor });
  const [{ method, url, headers } = assert.fail()] = log;
  assert.deepEqual([method, url], ['HEAD', '/some/prefix/v2/library/alpine/manifests/latest']);
  const { host: _, connection: __, ...sent } = headers;
  assert.deepEqual(sent, { accept: acceptManifests, 'accept-encoding': 'identity', 'user-agent': 'sampan/1.2.3' });
});

test('where a HEAD tells too little, or there is none, the manifest is fetched', async () => {
  const heads: Handle[] = [
    (_request, response) => send(response, 405),
    (_request, response) => send(response, 501),
    (_request, response) => send(response, 200, { 'content-type': ociImage, 'content-length': '7' }),
    (_request, response) =>
      send(response, 200, {
        'content-type': ociImage,
        'docker-content-digest': manifestDigest,
        'transfer-encoding': 'chunked',
      }),
    (_request, response) =>
      send(response, 200, {
        'content-type': 'text/html',
        'content-length': '7',
        'docker-content-digest': manifestDigest,
      }),
    (_request, response) =>
      send(response, 200, { 'content-type': ociImage, 'content-length': '7', 'docker-content-digest': 'md5:abc' }),
  ];
  for (const head of heads) {
    const { upstream } = await upstreamThat((request, response) =>
      (request.method === 'HEAD' ? head : sendManifest)(request, response),
    );
    const resolved = await upstream.resolve(byTag, anonymous, signal);
    assert.deepEqual(resolved?.descriptor, descriptor);
    assert.deepEqual(resolved?.manifest?.bytes, new Uint8Array(manifestBytes));
  }
});

test('a manifest comes with the digest of its bytes, also of a registry that does not tell it', async () => {
  const { upstream } = await upstreamThat((_request, response) =>
    send(response, 200, { 'content-type': ociImage }, manifestBytes.toString()),
  );
  assert.deepEqual((await upstream.manifest(byTag, anonymous, signal))?.descriptor, descriptor);
  assert.deepEqual((await upstream.manifest(byDigest, anonymous, signal))?.descriptor, descriptor);
});

test('what is no manifest, or not the one that was asked for, is MANIFEST_INVALID', async () => {
  const other = Buffer.from(manifestBytes.toString().replace('[]', '[ ]'));
  const answers: readonly [string, Record<string, string>, string | Buffer][] = [
    ['another digest than asked', { 'content-type': ociImage }, other],
    ['another digest than told', { 'content-type': ociImage, 'docker-content-digest': manifestDigest }, other],
    ['a page', { 'content-type': 'text/html' }, '<html>'],
    ['truncated JSON', { 'content-type': ociImage }, manifestBytes.subarray(0, 50)],
    ['more than 4 MiB', { 'content-type': ociImage }, Buffer.alloc(4 * 1024 * 1024 + 1, ' ')],
  ];
  for (const [name, headers, body] of answers) {
    const { upstream } = await upstreamThat((_request, response) => response.writeHead(200, headers).end(body));
    const reference = name === 'another digest than asked' ? byDigest : byTag;
    await assert.rejects(
      upstream.manifest(reference, anonymous, signal),
      { code: 'MANIFEST_INVALID', status: 502 },
      name,
    );
  }
});

test('Docker schema 1, whose digest is not of its bytes, is refused by that name, and nobody is a liar for it', async () => {
  const body = schema1().body.toString();
  for (const type of ['application/vnd.docker.distribution.manifest.v1+prettyjws', 'application/json']) {
    const headers = { 'content-type': type, 'docker-content-digest': sha256('its payload alone') };
    const { upstream, events } = await upstreamThat((_request, response) => send(response, 200, headers, body));
    for (const target of [parseTag('old'), sha256('its payload alone')]) {
      const refused = { code: 'MANIFEST_INVALID', status: 400, message: /schema 1/ };
      await assert.rejects(upstream.manifest({ repository, target }, anonymous, signal), refused);
      await assert.rejects(upstream.resolve({ repository, target }, anonymous, signal), refused);
    }
    assert.ok(!events.some(({ kind }) => kind === 'aside'));
  }
});

test('a header that claims another digest is refused, but is no lie: bytes alone can be one', async () => {
  const claims: Handle = (request, response) =>
    sendManifest(request, response, { 'docker-content-digest': sha256('x') });
  const { upstream, events } = await upstreamThat(claims);
  const wrong = { code: 'MANIFEST_INVALID', status: 502 };
  await assert.rejects(upstream.resolve(byDigest, anonymous, signal), wrong);
  await assert.rejects(upstream.manifest(byDigest, anonymous, signal), wrong);
  await assert.rejects(upstream.manifest(byTag, anonymous, signal), wrong);
  assert.ok(!events.some(({ kind }) => kind === 'aside'));
});

test('statuses are told apart, for every question', async () => {
  for (const [status, code, told, headers] of [
    [403, 'DENIED', 403, {}],
    [429, 'TOOMANYREQUESTS', 429, { 'retry-after': '90' }],
    [500, 'UNAVAILABLE', 503, { 'retry-after': '90' }],
    [418, 'UNAVAILABLE', 502, {}],
    [304, 'UNAVAILABLE', 502, {}],
  ] as const) {
    const { upstream } = await upstreamThat((_request, response) => send(response, status, { 'retry-after': '90' }));
    for (const question of [
      upstream.resolve(byTag, anonymous, signal),
      upstream.manifest(byTag, anonymous, signal),
      upstream.stat(repository, manifestDigest, anonymous, signal),
      upstream.blob(repository, manifestDigest, anonymous)(0, signal),
      upstream.tags(repository, '', anonymous, signal),
      upstream.referrers(repository, manifestDigest, '', anonymous, signal),
    ]) {
      await assert.rejects(question, { code, status: told, headers }, String(status));
    }
  }
});

test('a 404 is an absence', async () => {
  const { upstream } = await upstreamThat((_request, response) => send(response, 404, {}, 'x'.repeat(100_000)));
  assert.equal(await upstream.resolve(byTag, anonymous, signal), undefined);
  assert.equal(await upstream.manifest(byTag, anonymous, signal), undefined);
  assert.equal(await upstream.stat(repository, manifestDigest, anonymous, signal), undefined);
  assert.equal(await upstream.tags(repository, '', anonymous, signal), undefined);
  assert.equal(await upstream.referrers(repository, manifestDigest, '', anonymous, signal), undefined);
  await assert.rejects(upstream.blob(repository, manifestDigest, anonymous)(0, signal), {
    code: 'BLOB_UNKNOWN',
    status: 404,
  });
});

test('an upstream that is down is UNAVAILABLE, and the message names it', async () => {
  const gone = await nobody();
  const { upstream } = bench({ endpoints: [gone] });
  const message = `${new URL(gone).host} cannot be reached, or broke off`;
  await assert.rejects(upstream.resolve(byTag, anonymous, signal), { code: 'UNAVAILABLE', status: 503, message });
});

test('encoded bodies are refused everywhere', async () => {
  const encoded: Handle = (request, response) => sendManifest(request, response, { 'content-encoding': 'gzip' });
  const { upstream } = await upstreamThat(encoded);
  const refused = { code: 'UNAVAILABLE', status: 502 };
  await assert.rejects(upstream.resolve(byTag, anonymous, signal), refused);
  await assert.rejects(upstream.manifest(byTag, anonymous, signal), refused);
  await assert.rejects(upstream.blob(repository, manifestDigest, anonymous)(0, signal), refused);
  await assert.rejects(upstream.tags(repository, '', anonymous, signal), refused);
});
