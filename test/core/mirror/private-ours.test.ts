// What our own credentials open to the accounts whose rules name it: kept, and asked for anew like what a client's login opens.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePattern } from '../../../src/core/access/pattern.ts';
import { blob, byTag, bytes, layer, secretWorld } from './secret-image.ts';
import { minute } from './world.ts';

const pattern = parsePattern('docker.io/acme/*');
const alice = { name: 'alice', allow: pattern === undefined ? [] : [pattern] };
const adam = { ...alice, name: 'adam' };
const bob = { name: 'bob', allow: [] };
const own = 'sampan; fwd=bypass';

const shared = () => secretWorld({ entry: { credentials: [{ username: 'ann', password: 'x' }] } });
const toBlobs = (asked: string[]) => asked.filter((each) => each.includes('/blobs/') || each.includes('/manifests/'));

describe('an account whose rules name a repository', () => {
  it('gets what is kept of it when the registry has said yes to us a minute ago, whichever such account asked', async () => {
    const { get, settled, asked, clock } = await shared();
    for (const path of [byTag, blob]) assert.equal((await get(path, { account: alice })).headers['cache-status'], own);
    await settled();
    asked();
    for (const path of [byTag, blob]) {
      const told = await get(path, { account: adam });
      assert.equal(told.headers['cache-status'], `${own}; detail=kept`);
    }
    assert.deepEqual(toBlobs(asked()), [`HEAD ${byTag}`]);
    clock.forward(minute);
    assert.ok((await get(blob, { account: alice })).body.equals(bytes));
    // In nobody's name first, with the token that anybody gets: it may have become public.
    const again = toBlobs(asked());
    assert.ok(again.length > 1 && again.every((each) => each === `HEAD ${blob}`), again.join());
  });

  it('opens it to nobody else, and no other repository', async () => {
    const { get, settled, store } = await shared();
    const before = await get(blob, { account: bob });
    for (const path of [byTag, blob]) assert.equal((await get(path, { account: alice })).status, 200);
    await settled();
    for (const asking of [{ account: bob }, {}]) {
      for (const path of [byTag, blob]) assert.equal((await get(path, asking)).status, 401);
    }
    assert.deepEqual(await get(blob, { account: bob }), before);
    assert.equal((await get(`/v2/other/secret/blobs/${layer.digest}`, { account: alice })).status, 401);
    assert.equal(await store.book.verdict({ registry: 'docker.io', name: 'acme/secret' }), undefined);
  });

  it('asks once for a manifest, however many of them ask at once', async () => {
    const { get, asked } = await shared();
    await get('/v2/acme/secret/tags/list', { account: alice });
    asked();
    await Promise.all(Array.from({ length: 10 }, () => get(byTag, { account: alice })));
    assert.equal(toBlobs(asked()).filter((each) => each.startsWith('GET')).length, 1);
  });
});
