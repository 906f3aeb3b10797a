import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Pull, type PullRequest, parsePull } from '../../../src/core/oci/pull.ts';
import { repositoryKey } from '../../../src/core/oci/reference.ts';
import { routing } from './routing.ts';

const hex = '0123456789abcdef'.repeat(4);
const digest = `sha256:${hex}`;
const sha512 = `sha512:${hex}${hex}`;

function pull(target: string, rest: Partial<PullRequest> = {}): Pull {
  return parsePull({ method: 'GET', host: undefined, target, ...rest }, routing);
}

/** Kind, repository and what is asked of it, as one string. */
function told(asked: Pull): string {
  switch (asked.kind) {
    case 'ping':
      return 'ping';
    case 'manifest':
      return `manifest ${repositoryKey(asked.reference.repository)} ${asked.reference.target}`;
    case 'blob':
    case 'referrers':
      return `${asked.kind} ${repositoryKey(asked.repository)} ${asked.digest}`;
    case 'tags':
      return `tags ${repositoryKey(asked.repository)}`;
  }
}

describe('every layout finds the registry and the repository that are meant', () => {
  const layouts: readonly (readonly [target: string, expected: string, host?: string])[] = [
    // The default registry, and `library/`.
    ['/v2/alpine/manifests/3.20', 'manifest docker.io/library/alpine 3.20'],
    ['/v2/library/alpine/manifests/latest', 'manifest docker.io/library/alpine latest'],
    ['/v2/a/b/c/d/manifests/x', 'manifest docker.io/a/b/c/d x'],
    // ns
    ['/v2/alpine/manifests/latest?ns=docker.io', 'manifest docker.io/library/alpine latest'],
    ['/v2/alpine/manifests/latest?ns=index.docker.io', 'manifest docker.io/library/alpine latest'],
    ['/v2/org/app/manifests/latest?ns=ghcr.io', 'manifest ghcr.io/org/app latest'],
    ['/v2/app/manifests/latest?ns=GHCR.io', 'manifest ghcr.io/app latest'],
    ['/v2/app/manifests/latest?ns=localhost:5000', 'manifest localhost:5000/app latest'],
    ['/v2/app/manifests/latest?ns=localhost%3A5000', 'manifest localhost:5000/app latest'],
    ['/v2/app/manifests/latest?ns=[::1]:5000', 'manifest [::1]:5000/app latest'],
    ['/v2/p/r/manifests/1?ns=europe-docker.pkg.dev', 'manifest europe-docker.pkg.dev/p/r 1'],
    // The host in the path
    ['/v2/ghcr.io/org/app/manifests/latest', 'manifest ghcr.io/org/app latest'],
    ['/v2/GHCR.IO/org/app/manifests/latest', 'manifest ghcr.io/org/app latest'],
    ['/v2/docker.io/alpine/manifests/latest', 'manifest docker.io/library/alpine latest'],
    ['/v2/index.docker.io/library/alpine/manifests/latest', 'manifest docker.io/library/alpine latest'],
    ['/v2/localhost:5000/x/manifests/latest', 'manifest localhost:5000/x latest'],
    ['/v2/localhost/x/manifests/latest', 'manifest localhost/x latest'],
    ['/v2/localhost%3a5000/x/manifests/latest', 'manifest localhost:5000/x latest'],
    ['/v2/us-docker.pkg.dev/p/r/manifests/latest', 'manifest us-docker.pkg.dev/p/r latest'],
    ['/v2/lab/x/manifests/latest', 'manifest lab.example:5000/x latest'],
    // The host before /v2/
    ['/ghcr.io/v2/org/app/manifests/latest', 'manifest ghcr.io/org/app latest'],
    ['/docker.io/v2/alpine/manifests/latest', 'manifest docker.io/library/alpine latest'],
    ['/localhost:5000/v2/x/manifests/latest', 'manifest localhost:5000/x latest'],
    ['/lab/v2/x/manifests/latest', 'manifest lab.example:5000/x latest'],
    // Path and ns together
    ['/v2/ghcr.io/org/app/manifests/latest?ns=ghcr.io', 'manifest ghcr.io/org/app latest'],
    ['/ghcr.io/v2/org/app/manifests/latest?ns=ghcr.io', 'manifest ghcr.io/org/app latest'],
    ['/v2/docker.io/alpine/manifests/latest?ns=index.docker.io', 'manifest docker.io/library/alpine latest'],
    // A host that is not configured belongs to the name if ns says whose it is; so does an alias that does not look like a host.
    ['/v2/my.org/app/manifests/latest?ns=ghcr.io', 'manifest ghcr.io/my.org/app latest'],
    ['/v2/lab/app/manifests/latest?ns=ghcr.io', 'manifest ghcr.io/lab/app latest'],
    // A single component is never a host, as in image references.
    ['/v2/my.app/manifests/latest', 'manifest docker.io/library/my.app latest'],
    ['/v2/ghcr.io/manifests/latest?ns=docker.io', 'manifest docker.io/library/ghcr.io latest'],
    // A host is taken off once.
    ['/v2/ghcr.io/ghcr.io/x/manifests/latest', 'manifest ghcr.io/ghcr.io/x latest'],
    ['/docker.io/v2/ghcr.io/x/manifests/latest', 'manifest docker.io/ghcr.io/x latest'],
    ['/docker.io/v2/docker.io/x/manifests/latest', 'manifest docker.io/docker.io/x latest'],
    ['/ghcr.io/v2/unknown.example/x/manifests/latest', 'manifest ghcr.io/unknown.example/x latest'],
    // Host header: after the path and ns, before the default
    ['/v2/org/app/manifests/latest', 'manifest ghcr.io/org/app latest', 'gh.example.com'],
    ['/v2/org/app/manifests/latest', 'manifest ghcr.io/org/app latest', 'GH.example.com:5050'],
    ['/v2/app/manifests/latest', 'manifest localhost:5000/app latest', 'odd.example.com:8443'],
    ['/v2/app/manifests/latest', 'manifest docker.io/library/app latest', 'odd.example.com'],
    ['/v2/alpine/manifests/latest', 'manifest docker.io/library/alpine latest', 'other.example.com'],
    ['/v2/alpine/manifests/latest?ns=docker.io', 'manifest docker.io/library/alpine latest', 'gh.example.com'],
    ['/v2/docker.io/alpine/manifests/latest', 'manifest docker.io/library/alpine latest', 'gh.example.com'],
    // Absolute form: its authority in place of the Host header
    ['http://mirror.example/v2/alpine/manifests/latest', 'manifest docker.io/library/alpine latest'],
    ['HTTPS://gh.example.com:5050/v2/app/manifests/latest?ns=docker.io', 'manifest docker.io/library/app latest'],
    ['http://gh.example.com/v2/app/manifests/latest', 'manifest ghcr.io/app latest', 'mirror.example'],
    ['http://mirror.example/v2/app/manifests/latest', 'manifest docker.io/library/app latest', 'gh.example.com'],
    // Endpoints
    [`/v2/alpine/manifests/${digest}`, `manifest docker.io/library/alpine ${digest}`],
    [`/v2/alpine/manifests/${sha512}`, `manifest docker.io/library/alpine ${sha512}`],
    [`/v2/alpine/manifests/sha256%3A${hex}`, `manifest docker.io/library/alpine ${digest}`],
    [`/v2/alpine/blobs/${digest}`, `blob docker.io/library/alpine ${digest}`],
    ['/v2/alpine/tags/list', 'tags docker.io/library/alpine'],
    ['/v2/alpine/tags/list?n=0&last=', 'tags docker.io/library/alpine'],
    [`/v2/alpine/referrers/${digest}`, `referrers docker.io/library/alpine ${digest}`],
    // Read from the right
    ['/v2/manifests/manifests/manifests', 'manifest docker.io/library/manifests manifests'],
    ['/v2/a/manifests/tags/list', 'tags docker.io/a/manifests'],
    ['/v2/a/tags/list/manifests/x', 'manifest docker.io/a/tags/list x'],
    ['/v2/tags/list/tags/list', 'tags docker.io/tags/list'],
    [`/v2/blobs/blobs/blobs/${digest}`, `blob docker.io/blobs/blobs ${digest}`],
    [`/v2/v2/manifests/v2`, 'manifest docker.io/library/v2 v2'],
    [`/v2/v2/v2/manifests/v2`, 'manifest docker.io/v2/v2 v2'],
    ['/v2/referrers/manifests/_x', 'manifest docker.io/library/referrers _x'],
    // Pings
    ['/v2', 'ping'],
    ['/v2/', 'ping'],
    ['/v2/?ns=docker.io', 'ping'],
    ['/docker.io/v2', 'ping'],
    ['/ghcr.io/v2/', 'ping'],
    ['/ghcr.io/v2/?ns=ghcr.io', 'ping'],
    ['http://mirror.example/v2/', 'ping'],
  ];
  for (const [target, expected, host] of layouts) {
    test(host === undefined ? target : `${target} at ${host}`, () => {
      assert.equal(told(pull(target, { host })), expected);
    });
  }
});

describe('what else a request says', () => {
  const target = `/v2/alpine/blobs/${digest}`;

  test('GET and HEAD are told apart', () => {
    for (const path of ['/v2/a/manifests/b', target, '/v2/a/tags/list', `/v2/a/referrers/${digest}`]) {
      const [get, head] = [pull(path), pull(path, { method: 'HEAD' })];
      assert.ok('head' in get && !get.head);
      assert.ok('head' in head && head.head);
    }
  });

  test('a range counts for GET only', () => {
    const get = pull(target, { range: 'bytes=5-' });
    assert.deepEqual(get.kind === 'blob' && get.range, { kind: 'from', offset: 5 });
    const head = pull(target, { range: 'bytes=5-', method: 'HEAD' });
    assert.equal(head.kind === 'blob' && head.range, undefined);
  });

  test('conditions come along as they are', () => {
    const asked = pull(target, { ifNoneMatch: '*', ifRange: '"x"' });
    assert.deepEqual(asked.kind === 'blob' && asked.conditions, { ifNoneMatch: '*', ifRange: '"x"' });
  });

  test('ns is answered as it was sent', () => {
    assert.equal(pull('/v2/?ns=Docker.io').namespace, 'Docker.io');
    assert.equal(pull(`${target}?ns=index.docker.io`).namespace, 'index.docker.io');
    assert.equal(pull(target).namespace, undefined);
  });

  test('lists keep the query, encoded anew and without ns, and the way in which they were asked', () => {
    const tags = pull('/docker.io/v2/alpine/tags/list?n=10&ns=docker.io&last=3.%31%26x');
    assert.ok(tags.kind === 'tags');
    assert.equal(tags.query, 'n=10&last=3.1%26x');
    assert.deepEqual(tags.self, { path: '/docker.io/v2/alpine/tags/list', ns: 'docker.io' });
    const referrers = pull(`/v2/ghcr.io/a/referrers/${digest}?artifactType=application%2Fspdx%2Bjson`);
    assert.ok(referrers.kind === 'referrers');
    assert.equal(referrers.query, 'artifactType=application%2Fspdx%2Bjson');
    assert.deepEqual(referrers.self, { path: `/v2/ghcr.io/a/referrers/${digest}`, ns: undefined });
  });

  test('a query cannot carry a line break or a quote out of its encoding', () => {
    const tags = pull('/v2/alpine/tags/list?last=%0d%0aSet-Cookie:%22%3e');
    assert.equal(tags.kind === 'tags' && tags.query, 'last=%0D%0ASet-Cookie%3A%22%3E');
  });
});
