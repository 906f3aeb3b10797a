// The words in which a pull is told to whoever looks for a bug.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedIn } from '../../../src/core/oci/asked.ts';
import { parsePull } from '../../../src/core/oci/pull.ts';
import { routing } from '../../node/http/scripted-server.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const asked = (method: string, target: string) => askedIn(parsePull({ method, target, host: undefined }, routing));

test('every pull has a path that leads to the same one again', () => {
  for (const [target, url] of [
    ['/v2/', '/v2/'],
    ['/v2/alpine/manifests/latest?ns=docker.io', '/v2/docker.io/library/alpine/manifests/latest'],
    [`/docker.io/v2/a/b/blobs/${digest}`, `/v2/docker.io/a/b/blobs/${digest}`],
    ['/v2/a/b/tags/list?n=5', '/v2/docker.io/a/b/tags/list'],
    [`/v2/a/b/referrers/${digest}`, `/v2/docker.io/a/b/referrers/${digest}`],
  ] as const) {
    assert.deepEqual(asked('GET', target), { method: 'GET', url });
    assert.equal(asked('HEAD', url).url, url);
  }
  assert.equal(asked('HEAD', '/v2/a/b/manifests/c').method, 'HEAD');
});
