// Lists of an upstream: tags and referrers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anonymous } from '../../../src/core/access/caller.ts';
import { manifestDigest as digest, repository, send, signal, upstreamThat } from './bench.ts';

test('lists come as they are, with the query of their next page', async () => {
  const tags = '{ "name": "library/alpine", "tags": ["3.20"] }\n';
  const index = '{"schemaVersion":2,"manifests":[]}';
  const { upstream, log } = await upstreamThat((request, response) => {
    const next = {
      link: '</v2/library/alpine/tags/list?n=1&last=3.20>; rel="next"',
      'oci-filters-applied': 'artifactType',
    };
    send(response, 200, { 'content-type': 'text/plain', ...next }, request.url?.includes('tags') ? tags : index);
  });
  const page = await upstream.tags(repository, 'n=1&last=a#b', anonymous, signal);
  assert.deepEqual(page, {
    mediaType: 'application/json',
    bytes: new Uint8Array(Buffer.from(tags)),
    nextQuery: 'n=1&last=3.20',
    filters: 'artifactType',
  });
  const found = await upstream.referrers(repository, digest, 'artifactType=x', anonymous, signal);
  assert.equal(found?.mediaType, 'application/vnd.oci.image.index.v1+json');
  assert.deepEqual(
    log.map(({ url }) => url),
    ['/v2/library/alpine/tags/list?n=1&last=a%23b', `/v2/library/alpine/referrers/${digest}?artifactType=x`],
  );
});

test('what is no list is not passed on as one', async () => {
  for (const body of [
    '<html>',
    '{"tags":["a"',
    '[]',
    '{"tags":{}}',
    '{"tags":[1]}',
    '{"manifests":{}}',
    '{"manifests":[1]}',
    'null',
    `"${'x'.repeat(8 * 1024 * 1024)}"`,
  ]) {
    const { upstream } = await upstreamThat((_request, response) => send(response, 200, {}, body));
    const refused = { code: 'UNAVAILABLE', status: 502 };
    await assert.rejects(upstream.tags(repository, '', anonymous, signal), refused, body.slice(0, 40));
    await assert.rejects(upstream.referrers(repository, digest, '', anonymous, signal), refused, body.slice(0, 40));
  }
  const empty = await upstreamThat((_request, response) =>
    send(response, 200, {}, '{"name":"library/alpine","tags":null}'),
  );
  assert.notEqual(await empty.upstream.tags(repository, '', anonymous, signal), undefined);
});

test('a registry without referrers says so in one of several ways', async () => {
  for (const status of [400, 404, 405, 501]) {
    const { upstream } = await upstreamThat((_request, response) => send(response, status, {}, '<html>'));
    assert.equal(await upstream.referrers(repository, digest, '', anonymous, signal), undefined);
  }
});
