// Limits for who is intercepted: what the mirror gives and what the registry gives count alike.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parsePattern } from '../../../src/core/access/pattern.ts';
import { type Limit, tooMuch } from '../../../src/core/door/limit.ts';
import { intercepted } from './interception.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';

const layer = layerOf(Buffer.from('a layer'));

it('each request asks for its ration, takes of it for its body, and gives it back', async () => {
  const seen: unknown[] = [];
  const limit: Limit = async ({ address }, { blob }) => ({
    pace: {
      take(bytes) {
        seen.push(bytes);
        return bytes;
      },
      leave: () => {},
    },
    over: () => void seen.push([address, blob]),
  });
  const { ask, answers, registry } = await intercepted(undefined, undefined, [], limit);
  registry.hold('library/app', image({ layers: [layer] }), '1');
  answers((_, response) => response.end('host'));
  const blob = `/v2/library/app/blobs/${layer.digest}`;
  assert.equal((await ask('GET', blob)).body.toString(), 'a layer');
  assert.equal((await ask('HEAD', blob)).status, 200);
  assert.equal((await ask('POST', '/v2/library/app/blobs/uploads/')).body.toString(), 'host');
  const address = '192.0.2.7';
  const taken = seen.filter((each) => typeof each === 'number').reduce((sum, bytes) => sum + bytes, 0);
  assert.equal(taken, 'a layer'.length + 'host'.length);
  assert.deepEqual(
    seen.filter((each) => typeof each !== 'number'),
    [
      [address, true],
      [address, false],
      [address, false],
    ],
  );
});

it('who has asked too much hears so, and neither mirror nor registry hears anything', async () => {
  const refuse: Limit = async () => {
    throw tooMuch(7);
  };
  const { ask, hostAsked, registry } = await intercepted(undefined, undefined, [], refuse);
  registry.hold('library/app', image({ layers: [layer] }), '1');
  const { status, headers, body } = await ask('GET', '/v2/library/app/manifests/1');
  assert.deepEqual([status, headers['retry-after']], [429, '7']);
  assert.match(body.toString(), /"limitedBy":"this mirror"/);
  assert.deepEqual([hostAsked, registry.log], [[], []]);
});

it('what the rules deny counts too', async () => {
  const refuse: Limit = async () => {
    throw tooMuch(7);
  };
  const { ask } = await intercepted(
    undefined,
    undefined,
    [{ allows: false, patterns: [parsePattern('docker.io/library/app')!] }],
    refuse,
  );
  assert.equal((await ask('GET', '/v2/library/app/manifests/1')).status, 429);
});
