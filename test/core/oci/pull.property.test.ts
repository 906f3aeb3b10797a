import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { linkToNext } from '../../../src/core/oci/link.ts';
import { type Pull, parsePull } from '../../../src/core/oci/pull.ts';
import { parseRepository } from '../../../src/core/oci/reference.ts';
import { configured, routing } from './routing.ts';

fc.configureGlobal({ seed: 20261120, numRuns: 2000 });

/** A pull, or undefined if it was refused as it should be. Everything else fails the test. */
function attempt(request: Parameters<typeof parsePull>[0]): Pull | undefined {
  try {
    return parsePull(request, routing);
  } catch (error) {
    assert.ok(error instanceof RegistryError, `not a RegistryError: ${String(error)}`);
    assert.ok(error.status >= 400 && error.status < 500, `status ${error.status}`);
    assert.doesNotThrow(() => JSON.parse(error.body()));
    return undefined;
  }
}

/** What is reflected in headers is visible ASCII, and nothing in it ends a header or a link. */
function assertReflectable(pull: Pull): void {
  const safe = /^[!-~]*$/;
  assert.match(pull.namespace ?? '', safe);
  if (pull.kind !== 'tags' && pull.kind !== 'referrers') return;
  assert.match(linkToNext(pull.self, pull.query), /^<\/[^<>" ]*>; rel="next"$/);
  assert.doesNotMatch(pull.query, /(?:^|&)ns=/);
}

const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'PUT', 'DELETE');
const anything = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), fc.string());
const header = fc.option(anything, { nil: undefined });

const alnum = fc.stringMatching(/^[a-z0-9]{1,6}$/);
const component = fc.oneof(
  fc
    .array(alnum, { minLength: 1, maxLength: 3 })
    .chain((parts) => fc.constantFrom('.', '_', '__', '-', '---').map((separator) => parts.join(separator))),
  fc.constantFrom('manifests', 'blobs', 'tags', 'list', 'referrers', 'v2', 'library', 'docker.io', 'lab', 'uploads'),
);
const name = fc.array(component, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('/'));
const tag = fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,20}$/);
const digest = fc.oneof(
  fc.stringMatching(/^[0-9a-f]{64}$/).map((hex) => `sha256:${hex}`),
  fc.stringMatching(/^[0-9a-f]{128}$/).map((hex) => `sha512:${hex}`),
);

describe('parsePull, whatever comes', () => {
  test('any text as a target is a pull or an error of the 4xx', () => {
    fc.assert(
      fc.property(method, anything, header, header, (verb, target, host, value) => {
        const pull = attempt({ method: verb, target, host, range: value, ifNoneMatch: value, ifRange: value });
        if (pull !== undefined) assertReflectable(pull);
      }),
    );
  });

  test('so is any path that is nearly right', () => {
    const odd = fc.constantFrom(
      '',
      '.',
      '..',
      '%2f',
      '%2e',
      '%00',
      '%',
      '\\',
      'A',
      '_',
      ':',
      '@',
      'é',
      ' ',
      '\n',
      '%25',
      '~',
      '[::1]',
      'ghcr.io',
      'nobody.example',
      'constructor',
      '__proto__',
      'sha256:',
    );
    const piece = fc.oneof(
      component,
      tag,
      digest,
      odd,
      fc.tuple(component, odd).map((two) => two.join('')),
    );
    const query = fc.array(
      fc.tuple(fc.constantFrom('ns', 'n', 'last', 'artifactType', 'x'), fc.oneof(piece, anything)),
      { maxLength: 3 },
    );
    const target = fc
      .tuple(
        fc.array(piece, { maxLength: 7 }),
        fc.constantFrom('', '/v2/', '/ghcr.io/v2/', '/', 'http://host/v2/'),
        query,
      )
      .map(([pieces, start, pairs]) => {
        const text = pairs.map((pair) => pair.join('=')).join('&');
        return `${start}${pieces.join('/')}${text === '' ? '' : `?${text}`}`;
      });
    fc.assert(
      fc.property(method, target, header, (verb, asked, host) => {
        const pull = attempt({ method: verb, target: asked, host });
        if (pull !== undefined) assertReflectable(pull);
      }),
    );
  });

  test('every valid registry, repository and target comes out of every layout as it went in', () => {
    const registry = fc.constantFrom(...configured, 'us-docker.pkg.dev');
    const what = fc.oneof(
      tag.map((text) => `manifests/${text}`),
      digest.map((text) => `manifests/${text}`),
      digest.map((text) => `blobs/${text}`),
      digest.map((text) => `referrers/${text}`),
      fc.constant('tags/list'),
    );
    const layout = fc.constantFrom<(registry: string, rest: string) => string>(
      (host, rest) => `/v2/${host}/${rest}`,
      (host, rest) => `/${host}/v2/${rest}`,
      (host, rest) => `/${host}/v2/${rest}?ns=${host}`,
      (host, rest) => `/v2/${host}/${rest}?ns=${encodeURIComponent(host)}`,
      (host, rest) => `http://gh.example.com/v2/${host}/${rest}`,
    );
    fc.assert(
      fc.property(registry, name, what, layout, (host, repository, rest, spell) => {
        const target = spell(host, `${repository}/${rest}`);
        const pull = parsePull({ method: 'GET', target, host: undefined }, routing);
        const [kind, last] = rest.split('/');
        assert.ok(pull.kind !== 'ping');
        const asked = pull.kind === 'manifest' ? pull.reference.repository : pull.repository;
        assert.deepEqual(asked, parseRepository(host, repository));
        assert.ok(`${pull.kind}s`.startsWith(kind?.slice(0, 3) ?? ''));
        if (pull.kind === 'manifest') assert.equal(pull.reference.target, last);
        if (pull.kind === 'blob' || pull.kind === 'referrers') assert.equal(pull.digest, last);
      }),
    );
  });

  test('ns alone decides for every name whose first component is no other configured registry', () => {
    fc.assert(
      fc.property(fc.constantFrom(...configured), name, tag, (host, repository, target) => {
        fc.pre(!repository.startsWith('docker.io/'));
        const pull = parsePull(
          { method: 'GET', target: `/v2/${repository}/manifests/${target}?ns=${host}`, host: 'gh.example.com' },
          routing,
        );
        assert.ok(pull.kind === 'manifest');
        assert.deepEqual(pull.reference.repository, parseRepository(host, repository));
      }),
    );
  });
});
