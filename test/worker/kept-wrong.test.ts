// Wrong bytes in the cache, which nobody here looks at: who comes again for what he got whole has them replaced.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { answer } from '../fakes/registry/levers.ts';
import { imageOf, keptWorld } from './kept-world.ts';

const from = (address: string) => ({ 'cf-connecting-ip': address });

describe('a blob that was kept wrong', () => {
  const w = keptWorld();

  /** What is kept has a wrong bit; what the first client got has not. */
  async function keepWrong(text: string) {
    const { item, layer, bytes } = imageOf(text);
    w.hub.hold('library/wrong', item);
    const target = `/v2/wrong/blobs/${layer.digest}`;
    let answers = 0;
    w.hub.levers.bend = () => (answers++ === 1 ? { flip: 70_000 } : {});
    await w.edge.get(target, from('192.0.2.1'));
    const ask = async (address: string, headers = {}) => {
      const { headers: told, body } = await w.edge.get(target, { ...from(address), ...headers });
      return [told['cache-status'], body.equals(bytes)] as const;
    };
    return { ask };
  }

  test('is replaced when who got it whole comes again, once', async () => {
    const { ask } = await keepWrong('again');
    assert.deepEqual(await ask('192.0.2.2'), ['sampan; hit', false]);
    assert.deepEqual(await ask('192.0.2.3'), ['sampan; hit', false], 'others may not have looked');
    assert.deepEqual(await ask('192.0.2.2'), ['sampan; fwd=miss; stored', true]);
    for (const address of ['192.0.2.2', '192.0.2.3', '192.0.2.3']) {
      assert.deepEqual(await ask(address), ['sampan; hit', true]);
    }
  });

  test('is not by who asks for a part, or got one', async () => {
    const { ask } = await keepWrong('part');
    const range = 'bytes=5-9';
    for (const headers of [{ range }, { range }, {}, { range }]) {
      assert.equal((await ask('192.0.2.2', headers))[0], 'sampan; hit');
    }
  });

  test('is better than nothing while the upstream fails', async () => {
    const { ask } = await keepWrong('failing');
    await ask('192.0.2.2');
    w.hub.levers.answers = [answer.unavailable(/blobs/, 500)];
    assert.deepEqual(await ask('192.0.2.2'), ['sampan; hit', false]);
  });
});
