// What of a request is a secret, wherever it stands, and what is left of the request without it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createSecret } from '../../../src/core/access/secret.ts';
import { arrive } from '../../../src/core/door/arrival.ts';

fc.configureGlobal({ seed: 20_261_120 });

const secret = createSecret(new Uint8Array(16).fill(5));

describe('an arrival', () => {
  for (const [target, host, left, at] of [
    [`/v2/${secret}/library/nginx/manifests/1?x=y`, 'hub.example', '/v2/library/nginx/manifests/1?x=y', 'hub.example'],
    [`/${secret}/v2/library/nginx/tags/list`, 'hub.example:8443', '/v2/library/nginx/tags/list', 'hub.example:8443'],
    [`/${secret}/v2/`, 'hub.example', '/v2/', 'hub.example'],
    [`/${secret}/token?service=x`, 'hub.example', '/token?service=x', 'hub.example'],
    [`/${secret}`, 'hub.example', '/', 'hub.example'],
    [`/${secret}?x`, 'hub.example', '/?x', 'hub.example'],
    ['/v2/', `${secret}.hub.example`, '/v2/', 'hub.example'],
    [`http://${secret}.hub.example/v2/a`, 'other.example', '/v2/a', 'hub.example'],
    [`http://hub.example/${secret}/v2/`, undefined, '/v2/', 'hub.example'],
  ] as const) {
    test(`at ${host}${target.replace(secret, '…')} leaves ${left} at ${at}`, () => {
      const found = arrive({ target, host, scheme: 'https' });
      assert.deepEqual([found.target, found.host, found.secret], [left, at, secret]);
      assert.equal(found.path, left.replace(/\?.*/, ''));
    });
  }

  test('without a secret is left as it is', () => {
    for (const target of ['/v2/sampan-io/app/manifests/1', '/', '/v2', '/v2/?ns=docker.io', '/v2/%2f', '//']) {
      const found = arrive({ target, host: 'hub.example', scheme: 'http' });
      assert.deepEqual([found.target, found.host, found.secret], [target, 'hub.example', undefined]);
    }
  });

  test('gets its tokens where it came, with its secret, or nowhere if its host is none', () => {
    const realm = (target: string, host: string | undefined) => arrive({ target, host, scheme: 'https' }).realm();
    assert.equal(realm('/v2/', 'hub.example:8443'), 'https://hub.example:8443/token');
    assert.equal(realm(`/v2/${secret}/a`, 'hub.example'), `https://hub.example/${secret}/token`);
    assert.equal(realm('/v2/', `${secret}.hub.example`), `https://${secret}.hub.example/token`);
    const others = [undefined, '', 'a b', 'a"b', 'me@hub.example', 'a/b'];
    assert.ok(others.every((host) => realm('/v2/', host) === undefined));
  });

  test('is led back with the secret that it came with', () => {
    const back = (target: string) => arrive({ target, host: 'h.example', scheme: 'http' }).back('/v2/a/tags/list?n=1');
    assert.equal(back('/v2/a/tags/list'), '/v2/a/tags/list?n=1');
    assert.equal(back(`/v2/${secret}/a/tags/list`), `/v2/${secret}/a/tags/list?n=1`);
    assert.equal(back(`/${secret}/v2/a/tags/list`), `/${secret}/v2/a/tags/list?n=1`);
  });

  test('has no secret in the path that is logged, wherever one stands', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const { path } = arrive({ target: `/${before}/${secret}/${after}`, host: undefined, scheme: 'http' });
        assert.ok(!path.includes(secret.slice(7)));
      }),
    );
  });
});
