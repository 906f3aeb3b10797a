// An intercepted client is not passed on to what rules deny, however he writes it, and to all else he is.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePattern } from '../../../src/core/access/pattern.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';
import { intercepted } from './interception.ts';

const login = { headers: { authorization: 'Bearer of-the-client' } };

describe('what rules deny', () => {
  const pattern = parsePattern('docker.io/library/app');
  const rules = [{ allows: false, patterns: pattern === undefined ? [] : [pattern] }];
  const blob = `sha256:${'a'.repeat(64)}`;

  it('is refused, and not passed on to the registry either, however it is written', async () => {
    const { ask, answers, hostAsked, asked } = await intercepted(undefined, undefined, rules);
    answers((_, response) => response.end('the registry has it'));
    for (const [method, path] of [
      ['GET', '/v2/library/app/manifests/1'],
      ['HEAD', '/v2/library/app/manifests/1'],
      ['GET', '/v2/app/manifests/1'],
      ['GET', '/v2/library/app/manifests/1?ns=x'],
      ['GET', `/v2/library/app/blobs/${blob}`],
      ['HEAD', `/v2/library/app/blobs/${blob}`],
      ['GET', '/v2/library/app/tags/list'],
      ['GET', `/v2/library/app/referrers/${blob}`],
      ['GET', '/v2/library/%61pp/manifests/1'],
      ['GET', '/v2/library//app/manifests/1'],
      ['GET', '//v2/library/app/manifests/1'],
      ['GET', '/%762/library/app/manifests/1'],
      ['GET', '/x/../v2/library/app/manifests/1'],
      ['GET', '/v2/library/./app/manifests/1'],
      ['GET', '/v2/Library/App/manifests/1'],
      ['GET', '/V2/library/app/manifests/1'],
      ['GET', '/v2/library/app/unheard/of'],
    ] as const) {
      const told = await ask(method, path, login);
      assert.equal(told.status, 403, `${method} ${path}`);
      assert.ok(method === 'HEAD' || told.body.includes('"DENIED"'));
    }
    assert.deepEqual([hostAsked, asked()], [[], []]);
  });

  it('keeps nobody from the rest, from logging in and from pushing', async () => {
    const { ask, answers, hostAsked, registry } = await intercepted(undefined, undefined, rules);
    answers((_, response) => response.end('as it is'));
    const rest = [
      ['GET', '/v2/'],
      ['GET', '/token?scope=repository:library/app:pull'],
      ['GET', '/v2/_catalog?n=1'],
      ['GET', '/v2/library/other/tags/list'],
      ['POST', '/v2/library/app/blobs/uploads/'],
      ['GET', '/v2/library/app/blobs/uploads/1'],
      ['PUT', '/v2/library/app/manifests/1'],
    ] as const;
    for (const [method, path] of rest) assert.equal((await ask(method, path, login)).status, 200, `${method} ${path}`);
    assert.equal(hostAsked.length, rest.length);
    registry.hold('library/other', image({ layers: [layerOf(randomBytes(1, 3000))] }), '1');
    assert.equal((await ask('GET', '/v2/library/other/manifests/1', login)).status, 200);
    assert.equal(hostAsked.length, rest.length);
  });
});
