// What rules deny is refused in one way, whatever is here, and before anything of that can be seen.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseNetwork } from '../../../src/core/access/networks.ts';
import { parsePattern } from '../../../src/core/access/pattern.ts';
import type { Rules } from '../../../src/core/access/rules.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';
import { world } from './world.ts';

const pattern = parsePattern('docker.io/library/app');
assert.ok(pattern);
const rules: Rules = [{ allows: false, patterns: [pattern], networks: [parseNetwork('192.0.2.0/24')] }];
const item = image({ layers: [layerOf(randomBytes(1, 5000))] });
const layer = item.blobs[0]?.digest ?? '';

/** Counts every call to it. */
function spied<T extends object>(target: T, calls: string[]): T {
  return new Proxy(target, {
    get(of, name) {
      const value: unknown = Reflect.get(of, name, of);
      if (typeof value !== 'function') return value;
      return (...all: unknown[]) => {
        calls.push(String(name));
        return Reflect.apply(value, of, all) as unknown;
      };
    },
  });
}

describe('a pull that rules deny', () => {
  const pulls = [
    ['GET', `/v2/library/app/manifests/1`],
    ['GET', `/v2/library/app/manifests/${item.digest}`],
    ['HEAD', `/v2/library/app/manifests/1`],
    ['GET', `/v2/library/app/blobs/${layer}`],
    ['HEAD', `/v2/library/app/blobs/${layer}`],
    ['GET', `/v2/library/app/blobs/sha256:${'0'.repeat(64)}`],
    ['GET', `/v2/library/app/referrers/${item.digest}`],
    ['GET', `/v2/library/app/tags/list`],
  ] as const;

  it('looks the same before and after somebody else has pulled it, and asks neither store, book nor upstream', async () => {
    const calls: string[] = [];
    const { registry, get, asked, settled, restart } = await world({
      rules,
      store: (blobs) => spied(blobs, calls),
      book: (book) => spied(book, calls),
    });
    registry.hold('library/app', item, '1');
    const refusals = async () => {
      calls.length = 0;
      asked();
      const told = [];
      for (const [method, path] of pulls) {
        const denied = { method, address: '192.0.2.7' };
        told.push(await get(path, denied), await get(path, { ...denied, range: 'bytes=10-19' }));
        told.push(await get(path, { ...denied, authorization: 'Bearer of-his-own' }));
      }
      assert.deepEqual([calls, asked()], [[], []]);
      return told;
    };
    const before = await refusals();
    for (const told of before) assert.deepEqual([told.status, told.headers['cache-status']], [403, undefined]);
    for (const [method, path] of pulls.slice(0, 4)) assert.equal((await get(path, { method })).status, 200, path);
    await settled();
    // What a fill still does when it is over is done then; and what is here is in memory again.
    await restart();
    for (const [method, path] of pulls.slice(0, 4)) assert.equal((await get(path, { method })).status, 200, path);
    assert.ok(calls.length > 0);
    assert.deepEqual(await refusals(), before);
  });
});
