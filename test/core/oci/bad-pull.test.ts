import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ErrorCode, RegistryError } from '../../../src/core/oci/errors.ts';
import { type PullRequest, parsePull } from '../../../src/core/oci/pull.ts';
import type { Routing } from '../../../src/core/oci/route.ts';
import { routing } from './routing.ts';

const hex = '0123456789abcdef'.repeat(4);
const digest = `sha256:${hex}`;

function refusal(target: string, rest: Partial<PullRequest> = {}, configured: Routing = routing): RegistryError {
  try {
    parsePull({ method: 'GET', host: undefined, target, ...rest }, configured);
  } catch (error) {
    assert.ok(error instanceof RegistryError, `not a RegistryError: ${String(error)}`);
    return error;
  }
  return assert.fail('this was taken for a pull');
}

describe('bad input gets the status and the code that belong to it', () => {
  const bad: readonly (readonly [target: string, status: number, code: ErrorCode])[] = [
    // Names
    ['/v2/Alpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/library/ALPINE/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/-a/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/a-/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/a___b/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/a..b/c/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/.a/c/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/a:b/c/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/docker.io/a:5000/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/a@b/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/a#b/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/_catalog/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/tags/list', 400, 'NAME_INVALID'],
    [`/v2/${'a'.repeat(256)}/manifests/latest`, 400, 'NAME_INVALID'],
    [`/v2/${'a/'.repeat(200)}b/manifests/latest`, 400, 'NAME_INVALID'],
    // Dots
    ['/v2/../manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/library/../alpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/library/./alpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/%2e%2e/alpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/../../etc/passwd', 400, 'NAME_INVALID'],
    ['/../etc/passwd', 400, 'NAME_INVALID'],
    ['/v2/alpine/manifests/../../../etc/passwd', 400, 'NAME_INVALID'],
    ['/v2/alpine/manifests/..', 400, 'TAG_INVALID'],
    ['/v2/alpine/blobs/..', 400, 'DIGEST_INVALID'],
    // Encodings
    ['/v2/library%2falpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/library%2Falpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/library%5calpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/library%5Calpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/library\\alpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/alpine%00/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/alpine/tags/list?last=%00', 400, 'NAME_INVALID'],
    ['/v2/alpine\u0000/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/alpine/manifests/latest\r\nx: y', 400, 'NAME_INVALID'],
    ['/v2/al pine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/\u00e4lpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/%c3%a4lpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/alpine/manifests/latest?x=\u00e4', 400, 'NAME_INVALID'],
    ['/v2/%zz/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/alpine/manifests/%', 400, 'NAME_INVALID'],
    ['/v2/%ff%fe/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/alpine/manifests/latest?x=%f', 400, 'NAME_INVALID'],
    ['/v2/alpine%252fx/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/alpine%2561/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/alpine/manifests/%2561', 400, 'TAG_INVALID'],
    ['//v2/alpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2//alpine/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/alpine//manifests/latest', 400, 'NAME_INVALID'],
    ['/v2//', 400, 'NAME_INVALID'],
    ['http://host//v2/', 400, 'NAME_INVALID'],
    ['v2/alpine/manifests/latest', 400, 'NAME_INVALID'],
    ['ftp://host/v2/', 400, 'NAME_INVALID'],
    ['*', 400, 'NAME_INVALID'],
    ['', 400, 'NAME_INVALID'],
    ['?ns=docker.io', 400, 'NAME_INVALID'],
    [`/v2/alpine/manifests/latest?x=${'y'.repeat(4096)}`, 400, 'NAME_INVALID'],
    // Tags and digests
    ['/v2/alpine/manifests/', 400, 'TAG_INVALID'],
    ['/v2/alpine/manifests/-x', 400, 'TAG_INVALID'],
    ['/v2/alpine/manifests/.x', 400, 'TAG_INVALID'],
    ['/v2/alpine/manifests/a@b', 400, 'TAG_INVALID'],
    [`/v2/alpine/manifests/${'x'.repeat(129)}`, 400, 'TAG_INVALID'],
    ['/v2/alpine/manifests/sha256:beef', 400, 'DIGEST_INVALID'],
    ['/v2/alpine/manifests/a:b', 400, 'DIGEST_INVALID'],
    [`/v2/alpine/manifests/sha256:${hex.toUpperCase()}`, 400, 'DIGEST_INVALID'],
    [`/v2/alpine/manifests/${digest}0`, 400, 'DIGEST_INVALID'],
    [`/v2/alpine/manifests/${digest}%0a`, 400, 'DIGEST_INVALID'],
    [`/v2/alpine/manifests/sha512:${hex}`, 400, 'DIGEST_INVALID'],
    [`/v2/alpine/manifests/blake3:${hex}`, 400, 'DIGEST_INVALID'],
    ['/v2/alpine/blobs/latest', 400, 'DIGEST_INVALID'],
    ['/v2/alpine/blobs/', 400, 'DIGEST_INVALID'],
    ['/v2/alpine/blobs/sha256:../../../etc/passwd', 400, 'NAME_INVALID'],
    ['/v2/alpine/referrers/latest', 400, 'DIGEST_INVALID'],
    // Pages
    ['/v2/alpine/tags/list?n=-1', 400, 'PAGINATION_NUMBER_INVALID'],
    ['/v2/alpine/tags/list?n=', 400, 'PAGINATION_NUMBER_INVALID'],
    ['/v2/alpine/tags/list?n=1.5', 400, 'PAGINATION_NUMBER_INVALID'],
    ['/v2/alpine/tags/list?n=ten', 400, 'PAGINATION_NUMBER_INVALID'],
    ['/v2/alpine/tags/list?n=1&n=x', 400, 'PAGINATION_NUMBER_INVALID'],
    // Registries
    ['/v2/unknown.example/a/manifests/latest', 404, 'NAME_UNKNOWN'],
    ['/v2/unknown:5000/a/manifests/latest', 404, 'NAME_UNKNOWN'],
    ['/unknown.example/v2/a/manifests/latest', 404, 'NAME_UNKNOWN'],
    ['/unknown.example/v2/_catalog', 404, 'NAME_UNKNOWN'],
    ['/unknown.example/v2/', 404, 'NAME_UNKNOWN'],
    ['/unknown.example/v2/?ns=docker.io', 404, 'NAME_UNKNOWN'],
    ['/v2/?ns=unknown.example', 404, 'NAME_UNKNOWN'],
    ['/v2/a/manifests/latest?ns=unknown.example', 404, 'NAME_UNKNOWN'],
    ['/v2/ghcr.io/a/manifests/latest?ns=unknown.example', 404, 'NAME_UNKNOWN'],
    ['/v2/a/manifests/latest?ns=169.254.169.254', 404, 'NAME_UNKNOWN'],
    ['/v2/a/manifests/latest?ns=toString', 404, 'NAME_UNKNOWN'],
    ['/v2/a/manifests/latest?ns=', 400, 'NAME_INVALID'],
    ['/v2/a/manifests/latest?ns=a/b', 400, 'NAME_INVALID'],
    ['/v2/a/manifests/latest?ns=*.pkg.dev', 400, 'NAME_INVALID'],
    ['/v2/a/manifests/latest?ns=x%0d%0ay.pkg.dev', 400, 'NAME_INVALID'],
    ['/v2/a/manifests/latest?ns=docker.io&ns=docker.io', 400, 'NAME_INVALID'],
    ['/v2/a/manifests/latest?ns=docker.io&ns=ghcr.io', 400, 'NAME_INVALID'],
    ['/v2/a/manifests/latest?ns=docker.io&%6es=ghcr.io', 400, 'NAME_INVALID'],
    ['/v2/ghcr.io/a/manifests/latest?ns=docker.io', 400, 'NAME_INVALID'],
    ['/ghcr.io/v2/a/manifests/latest?ns=docker.io', 400, 'NAME_INVALID'],
    ['/ghcr.io/v2/?ns=docker.io', 400, 'NAME_INVALID'],
    // Paths that are nobody's
    ['/v2/_catalog', 404, 'UNSUPPORTED'],
    ['/ghcr.io/v2/_catalog', 404, 'UNSUPPORTED'],
    ['/v2/ghcr.io/_catalog', 404, 'UNSUPPORTED'],
    ['/', 404, 'UNSUPPORTED'],
    ['http://host', 404, 'UNSUPPORTED'],
    ['http://host?x', 404, 'UNSUPPORTED'],
    ['/v1/', 404, 'UNSUPPORTED'],
    ['/v22/a/manifests/b', 404, 'UNSUPPORTED'],
    ['/library/v2/alpine/manifests/b', 404, 'UNSUPPORTED'],
    ['/a/ghcr.io/v2/alpine/manifests/b', 404, 'UNSUPPORTED'],
    ['/v2/alpine', 404, 'UNSUPPORTED'],
    ['/v2/alpine/manifests', 404, 'UNSUPPORTED'],
    ['/v2/alpine/tags/latest', 404, 'UNSUPPORTED'],
    ['/v2/alpine/tags/list/', 404, 'UNSUPPORTED'],
    ['/v2/alpine/manifests/latest/', 404, 'UNSUPPORTED'],
    ['/v2/alpine/blobs/uploads/', 404, 'UNSUPPORTED'],
  ];
  for (const [target, status, code] of bad) {
    test(JSON.stringify(target.length > 100 ? `${target.slice(0, 100)}…` : target), () => {
      const error = refusal(target);
      assert.deepEqual([error.status, error.code], [status, code]);
    });
  }
});

describe('pushes and deletes', () => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'get', '']) {
    test(`${method || 'no method'} is refused before anything else is looked at`, () => {
      for (const target of ['/v2/alpine/blobs/uploads/', '/v2/Alpine/manifests/x', '%', '*']) {
        const error = refusal(target, { method });
        assert.deepEqual([error.status, error.code, error.headers], [405, 'UNSUPPORTED', { allow: 'GET, HEAD' }]);
      }
    });
  }
});

describe('messages', () => {
  test('an unknown registry is told which are configured', () => {
    const { message } = refusal('/v2/unknown.example/a/manifests/b');
    assert.match(message, /unknown\.example .*docker\.io, ghcr\.io, localhost:5000/);
  });

  test('a long list of registries is cut short', () => {
    const configured = Array.from({ length: 500 }, (_, number) => `registry-${number}.example`);
    const { message } = refusal('/v2/a/manifests/b?ns=unknown.example', {}, { ...routing, configured });
    assert.ok(message.length < 1000);
    assert.match(message, / and 480 more$/);
  });

  test('without a default registry, a plain name is told that it must say whose it is', () => {
    const lonely: Routing = { ...routing, fallback: undefined, configured: [] };
    const error = refusal('/v2/alpine/manifests/latest', {}, lonely);
    assert.deepEqual([error.status, error.code], [404, 'NAME_UNKNOWN']);
    assert.match(error.message, /configured: none/);
    assert.equal(parsePull({ method: 'GET', target: '/v2/', host: undefined }, lonely).kind, 'ping');
  });

  test('an unknown path is told what there is', () => {
    assert.match(refusal('/v2/_catalog').message, /manifests.*blobs.*tags\/list.*referrers/);
  });
});
