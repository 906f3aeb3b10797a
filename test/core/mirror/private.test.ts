// What a client's own login opens: kept like anything else, and shown to nobody whom his own upstream does not admit to it.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Repository } from '../../../src/core/oci/reference.ts';
import { artifact, image, index } from '../../fakes/registry/content.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { blob, byDigest, byTag, bytes, elsewhere, item, layer, secretWorld, size } from './secret-image.ts';
import { minute, second } from './world.ts';

const repository: Repository = { registry: 'docker.io', name: 'acme/secret' };
const targets = [byTag, byDigest, blob, `/v2/acme/secret/blobs/${item.blobs[0]?.digest}`];

describe('a pull with a login of its own', () => {
  it('is kept: the next one costs HEADs, and within the minute none but for tags', async () => {
    const { token, get, settled, asked, clock } = await secretWorld();
    const ann = await token('ann');
    const first = await get(byTag, { authorization: ann });
    assert.deepEqual([first.status, first.headers['cache-status']], [200, 'sampan; fwd=bypass']);
    assert.equal((await get(blob, { authorization: ann })).headers['cache-status'], 'sampan; fwd=bypass');
    await settled();
    assert.deepEqual(
      asked().filter((each) => !each.includes('/token')),
      [
        'HEAD /v2/acme/secret/manifests/1',
        `GET /v2/acme/secret/manifests/${item.digest}`,
        `HEAD ${blob}`,
        `GET ${blob}`,
      ],
    );
    for (const path of [byTag, byDigest, blob]) {
      const again = await get(path, { authorization: ann });
      assert.deepEqual([again.status, again.headers['cache-status']], [200, 'sampan; fwd=bypass; detail=kept']);
      assert.ok(again.body.equals(path === blob ? bytes : item.body));
    }
    assert.deepEqual(asked(), [`HEAD ${byTag}`]);
    clock.forward(minute);
    await get(byDigest, { authorization: ann });
    await get(blob, { authorization: ann });
    assert.deepEqual(asked(), [`HEAD ${byDigest}`, `HEAD ${blob}`]);
  });

  it('gets ranges, heads and conditional answers of what is kept', async () => {
    const { token, get, head, settled } = await secretWorld();
    const authorization = await token('ann');
    await get(blob, { authorization });
    await settled();
    const range = await get(blob, { authorization, range: 'bytes=10-19' });
    assert.deepEqual([range.status, range.body], [206, bytes.subarray(10, 20)]);
    assert.equal((await get(blob, { authorization, range: `bytes=${size}-` })).status, 416);
    const told = await head(blob, { authorization });
    assert.deepEqual([told.status, told.headers['content-length']], [200, String(size)]);
    assert.equal((await get(blob, { authorization, ifNoneMatch: `"${layer.digest}"` })).status, 304);
    assert.equal((await get(byTag, { authorization, ifNoneMatch: `"${item.digest}"` })).status, 304);
    assert.equal((await head(byTag, { authorization })).headers['docker-content-digest'], item.digest);
  });

  it('sees a tag that has moved at once', async () => {
    const { token, get, registry } = await secretWorld();
    const authorization = await token('ann');
    await get(byTag, { authorization });
    const next = registry.hold('acme/secret', image({ layers: [layer, layer] }), '1');
    assert.ok((await get(byTag, { authorization })).body.equals(next.body));
  });

  it('leaves nothing in the book but whose registry sent it, and lets in nobody else', async () => {
    const { token, get, settled, store, touched } = await secretWorld();
    const authorization = await token('ann');
    touched();
    for (const path of targets) assert.equal((await get(path, { authorization })).status, 200);
    await settled();
    const written = touched().filter(
      (call) => call.startsWith('book.') && call !== 'book.touch' && call !== 'book.standing',
    );
    assert.deepEqual([...new Set(written)], ['book.link']);
    for (const { digest } of [layer, item]) {
      assert.equal(await store.book.standing(repository, digest as never), undefined);
    }
    assert.equal(await store.book.verdict(repository), undefined);
    for (const path of targets) assert.equal((await get(path)).status, 401, path);
  });

  it('opens this object alone: no other repository that has it, and a manifest not as a blob', async () => {
    const { token, get, settled } = await secretWorld();
    const authorization = await token('ann');
    for (const path of targets) assert.equal((await get(path, { authorization })).status, 200);
    await settled();
    assert.equal((await get(elsewhere, { authorization })).status, 401);
    assert.equal((await get(byDigest.replace('manifests', 'blobs'), { authorization })).status, 404);
    assert.equal((await get(blob.replace('blobs', 'manifests'), { authorization })).status, 404);
  });

  it('gets the same refusal whether all of it is here or nothing, and before that nothing here is touched', async () => {
    const { token, get, head, settled, touched } = await secretWorld();
    const refusals = async () => {
      const eve = await token('eve');
      const all = [];
      touched();
      for (const path of [...targets, elsewhere]) {
        for (const asking of [{}, { range: 'bytes=0-9' }, { ifNoneMatch: '*' }]) {
          const { status, headers, body } = await get(path, { authorization: eve, ...asking });
          all.push([path, status, headers, body.toString()]);
        }
        const { status, headers } = await head(path, { authorization: eve });
        all.push([path, status, headers]);
      }
      assert.deepEqual(touched(), []);
      return all;
    };
    const before = await refusals();
    assert.ok(before.every(([, status]) => status === 401));
    const authorization = await token('ann');
    for (const path of targets) await get(path, { authorization });
    await settled();
    assert.deepEqual(await refusals(), before);
  });

  it('is asked for anew after a minute: revoked rights end then', async () => {
    const { token, get, settled, registry, clock } = await secretWorld();
    const authorization = await token('ann');
    for (const path of targets) await get(path, { authorization });
    await settled();
    registry.tokens.revoke();
    clock.forward(minute - second);
    assert.equal((await get(byTag, { authorization })).status, 401);
    assert.equal((await get(blob, { authorization })).status, 200);
    clock.forward(second);
    for (const path of targets) assert.equal((await get(path, { authorization })).status, 401, path);
  });

  it('is asked for anew when a download was refused: what came in since is not its own', async () => {
    const { token, get, head, settled, registry } = await secretWorld();
    const [ann, ben] = [await token('ann'), await token('ben')];
    assert.equal((await head(blob, { authorization: ann })).status, 200);
    registry.tokens.revoke(ann);
    assert.equal((await get(blob, { authorization: ann })).status, 401);
    assert.equal((await get(blob, { authorization: ben })).status, 200);
    await settled();
    assert.equal((await get(blob, { authorization: ann })).status, 401);
  });

  it('gets nothing old while the upstream is down', async () => {
    const { token, get, settled, registry, clock } = await secretWorld();
    const authorization = await token('ann');
    for (const path of targets) await get(path, { authorization });
    await settled();
    await registry.down();
    assert.equal((await get(byTag, { authorization })).status, 503);
    assert.equal((await get(blob, { authorization })).status, 200);
    clock.forward(minute);
    for (const path of targets) assert.equal((await get(path, { authorization })).status, 503, path);
  });

  it('is not refused for what it has used up by anybody else', async () => {
    const { token, get, registry } = await secretWorld();
    const [ann, ben] = [await token('ann'), await token('ben')];
    registry.levers.answers.push({ ...answer.tooMany(/acme/), times: 1 });
    assert.equal((await get(blob, { authorization: ann })).status, 429);
    assert.equal((await get(blob, { authorization: ben })).status, 200);
  });

  it('finds its own bytes past a store that cannot take them', async () => {
    const { token, get, shown } = await secretWorld({ limit: 1000 });
    const authorization = await token('ann');
    for (let count = 0; count < 2; count += 1) {
      const { status, body, headers } = await get(blob, { authorization });
      assert.deepEqual([status, body.equals(bytes), headers['cache-status']], [200, true, 'sampan; fwd=bypass']);
    }
    assert.ok(shown().every((each) => each.authorization === authorization));
  });
});

describe('bytes that came in with a login', () => {
  for (const [what, forged] of [
    ['layer', { ...image({ layers: [layer, layer] }), blobs: [] }],
    ['child', { ...index([item]), children: [] }],
    ['subject', { ...artifact({ subject: item }), blobs: [] }],
  ] as const) {
    it(`are not shown where a forged manifest names them (${what})`, async () => {
      const { token, get, head, settled, registry } = await secretWorld();
      const authorization = await token('ann');
      for (const path of targets) await get(path, { authorization });
      await settled();
      registry.hold('evil/app', forged, '1');
      assert.equal((await get('/v2/evil/app/manifests/1')).status, 200);
      const evil = `/v2/evil/app/blobs/${layer.digest}`;
      for (const asking of [{}, { authorization: await token('eve', 'evil/app') }]) {
        assert.equal((await get(evil, asking)).status, 404);
        assert.equal((await head(evil, asking)).status, 404);
        assert.equal((await get(evil, { ...asking, ifNoneMatch: '*' })).status, 404);
        assert.equal((await get(`/v2/evil/app/manifests/${item.digest}`, asking)).status, 404);
      }
    });
  }

  it('are shown in a public repository that proves to have them', async () => {
    const { token, get, settled, registry, asked } = await secretWorld();
    await get(blob, { authorization: await token('ann') });
    await settled();
    registry.hold('public/app', item, '1');
    await get('/v2/public/app/manifests/1');
    asked();
    assert.equal((await get(`/v2/public/app/blobs/${layer.digest}`)).headers['cache-status'], 'sampan; hit');
    assert.deepEqual(asked(), [`HEAD /v2/public/app/blobs/${layer.digest}`]);
  });

  it('are not looked for before that, where a manifest is asked for in a public repository', async () => {
    const { token, get, settled, registry, touched } = await secretWorld();
    registry.hold('evil/app', image({ layers: [layer, layer] }), '1');
    const evil = `/v2/evil/app/manifests/${item.digest}`;
    const refusal = async () => {
      await get('/v2/evil/app/manifests/1');
      touched();
      const { status, headers, body } = await get(evil);
      return [status, headers, body.toString(), touched()] as const;
    };
    const earlier = await refusal();
    assert.equal(earlier[0], 404);
    await get(byTag, { authorization: await token('ann') });
    await settled();
    assert.deepEqual(await refusal(), earlier);
    assert.ok(!earlier[3].some((call) => call.startsWith('store.')), earlier[3].join());
  });

  it('do not make an image of somebody else’s look whole', async () => {
    const { token, get, settled, registry, clock } = await secretWorld();
    registry.hold('evil/app', { ...image({ layers: [layer, layer] }), blobs: [] }, '1');
    const before = await get('/v2/evil/app/manifests/1');
    assert.equal(before.status, 200);
    for (const path of targets) await get(path, { authorization: await token('ann') });
    await settled();
    clock.forward(minute);
    await registry.down();
    assert.equal((await get('/v2/evil/app/manifests/1')).status, 503);
  });
});
