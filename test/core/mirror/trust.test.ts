import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseNetwork } from '../../../src/core/access/networks.ts';
import type { BlobStore, Source } from '../../../src/core/mirror/ports.ts';
import type { RegistryError } from '../../../src/core/oci/errors.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { artifact, image, index, layerOf, raw } from '../../fakes/registry/content.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { bound } from './bound-store.ts';
import { collect, minute, world } from './world.ts';

const secret = layerOf(randomBytes(1, 5000));
const item = image({ layers: [secret] });

/** `victim/app` holds an image, all of it is in the store; `evil/app` has manifests that name its parts and holds none of them. */
async function forged() {
  const all = await world();
  all.registry.hold('victim/app', item, '1');
  await all.get('/v2/victim/app/manifests/1');
  for (const { digest } of item.blobs) assert.equal((await all.get(`/v2/victim/app/blobs/${digest}`)).status, 200);
  await all.settled();
  all.registry.hold('evil/app', { ...image({ layers: [secret, layerOf(randomBytes(2, 10))] }), blobs: [] }, 'layer');
  all.registry.hold('evil/app', { ...index([item]), children: [] }, 'child');
  all.registry.hold('evil/app', { ...artifact({ subject: item }), blobs: [] }, 'subject');
  return all;
}

describe('a manifest that names what its repository does not hold', () => {
  for (const tag of ['layer', 'child', 'subject']) {
    it(`does not make it readable there (${tag})`, async () => {
      const { get, head } = await forged();
      assert.equal((await get(`/v2/evil/app/manifests/${tag}`)).status, 200);
      for (const { digest } of item.blobs) {
        assert.equal((await get(`/v2/evil/app/blobs/${digest}`)).status, 404);
        assert.equal((await head(`/v2/evil/app/blobs/${digest}`)).status, 404);
        assert.equal((await get(`/v2/evil/app/blobs/${digest}`, { ifNoneMatch: '*' })).status, 404);
      }
      assert.equal((await get(`/v2/evil/app/manifests/${item.digest}`)).status, 404);
      assert.equal((await head(`/v2/evil/app/manifests/${item.digest}`)).status, 404);
    });

    it(`does not make it readable there while the upstream is down (${tag})`, async () => {
      const { get, head, registry } = await forged();
      await get(`/v2/evil/app/manifests/${tag}`);
      await registry.down();
      for (const { digest } of item.blobs) {
        assert.equal((await get(`/v2/evil/app/blobs/${digest}`)).status, 503);
        assert.equal((await head(`/v2/evil/app/blobs/${digest}`)).status, 503);
      }
      assert.equal((await get(`/v2/evil/app/manifests/${item.digest}`)).status, 503);
    });
  }

  it('is not whole by what others have brought here, while the upstream is down', async () => {
    const { get, registry, clock } = await forged();
    registry.hold('evil/app', { ...image({ layers: [secret, secret] }), blobs: [] }, 'twice');
    assert.equal((await get('/v2/evil/app/manifests/twice')).status, 200);
    await registry.down();
    clock.forward(minute);
    assert.equal((await get('/v2/evil/app/manifests/twice')).status, 503);
    assert.equal((await get('/v2/victim/app/manifests/1')).status, 200);
  });

  it('does not let its readers into a fill that another repository started', async () => {
    const { get, start, registry, store } = await forged();
    await store.blobs.delete(secret.digest as never);
    await get('/v2/evil/app/manifests/layer');
    const gate = new Gate();
    registry.levers.stall = { after: 100, gate };
    const running = collect(await start(`/v2/victim/app/blobs/${secret.digest}`));
    await gate.reached();
    assert.equal((await get(`/v2/evil/app/blobs/${secret.digest}`)).status, 404);
    gate.open();
    assert.equal((await running).status, 200);
  });

  it('does not make a pull of the real one fail by claiming another size', async () => {
    const { get, registry, store } = await forged();
    await store.blobs.delete(secret.digest as never);
    const lie = JSON.parse(item.body.toString()) as { layers: { size: number }[] };
    for (const layer of lie.layers) layer.size = 7;
    const body = Buffer.from(JSON.stringify(lie));
    registry.holdBlob('evil/app', secret);
    registry.hold('evil/app', raw(item.mediaType, body), 'size');
    await get('/v2/evil/app/manifests/size');
    const [evil, real] = await Promise.all([
      get(`/v2/evil/app/blobs/${secret.digest}`),
      get(`/v2/victim/app/blobs/${secret.digest}`),
    ]);
    // What a manifest claims is nobody's word for anything.
    assert.deepEqual([evil.status, real.status], [200, 200]);
  });
});

describe('a blob that came by way of another repository', () => {
  it('is proven with one HEAD, once, and not downloaded again', async () => {
    const { registry, get, asked } = await forged();
    registry.hold('other/app', item, '1');
    await get('/v2/other/app/manifests/1');
    asked();
    for (let i = 0; i < 2; i++) assert.equal((await get(`/v2/other/app/blobs/${secret.digest}`)).status, 200);
    assert.deepEqual(asked(), [`HEAD /v2/other/app/blobs/${secret.digest}`]);
  });
});

describe('a repository whose upstream stumbled', () => {
  const long = layerOf(randomBytes(4, 6_000_000));
  const { digest } = long;
  const other = { registry: 'docker.io', name: 'library/other' };

  /** `good` has the blob, and a piece of it is here; `other` asks for it first, then `good`, and both before `other` is told 400. */
  async function stumbled({ has, range }: { has: boolean; range?: string }) {
    let sources: Iterable<Source> = [];
    const store = (blobs: BlobStore): BlobStore => ({
      ...bound(blobs),
      fill(...asked) {
        sources = asked[1];
        return blobs.fill(...asked);
      },
    });
    const all = await world({ store });
    const { registry, start } = all;
    registry.hold('library/good', image({ layers: [long] }), '1');
    registry.hold('library/other', image({ layers: [has ? long : secret] }), '1');
    for (const name of ['good', 'other']) await all.get(`/v2/${name}/manifests/1`);
    registry.levers.bend = () => ({ breaks: { at: 5_000_000, how: 'cut' } });
    await assert.rejects(collect(await start(`/v2/good/blobs/${digest}`)));
    await all.settled();
    registry.levers.bend = undefined;
    const gate = new Gate();
    registry.levers.answers.push({ path: /other\/blobs/, status: 400, gate, ...(has && { method: 'GET' }) });
    const told = (name: string, asking = {}) => start(`/v2/${name}/blobs/${digest}`, asking).then(collect);
    const mine = told('other', range === undefined ? {} : { range }).catch((error: RegistryError) => error);
    await gate.reached();
    const theirs = told('good');
    while ([...sources].length < 2) await new Promise(setImmediate);
    gate.open();
    return { ...all, mine: await mine, theirs: await theirs };
  }

  it('does not get what another one’s upstream brought, nor a standing', async () => {
    const { mine, theirs, settled, get, store } = await stumbled({ has: false });
    assert.deepEqual([mine.status, theirs.status], [502, 200]);
    await settled();
    assert.equal(await store.book.standing(other, digest as never), undefined);
    assert.equal((await get(`/v2/other/blobs/${digest}`)).status, 502);
  });

  it('does not even learn that a range is out of bounds', async () => {
    const { mine } = await stumbled({ has: false, range: 'bytes=6000000-' });
    assert.deepEqual([mine.status, mine.headers['content-range']], [502, undefined]);
  });

  it('gets it once a HEAD has shown that it is there', async () => {
    const { mine, theirs, settled, store, asked } = await stumbled({ has: true });
    assert.deepEqual([mine.status, theirs.status], [200, 200]);
    await settled();
    assert.equal((await store.book.standing(other, digest as never))?.size, 6_000_000);
    assert.ok(asked().includes(`HEAD /v2/library/other/blobs/${digest}`));
  });
});

describe('a repository that is not public', () => {
  it('is refused, and what we hold of it is not shown', async () => {
    const { registry, get, head, clock } = await forged();
    registry.levers.answers.push(answer.unauthorized(/victim/));
    clock.forward(16 * minute);
    for (const path of [`blobs/${secret.digest}`, `manifests/${item.digest}`, 'manifests/1', 'tags/list']) {
      assert.equal((await get(`/v2/victim/app/${path}`)).status, 401, path);
      assert.equal((await head(`/v2/victim/app/${path}`)).status, 401, path);
    }
  });

  it('that refuses one object is asked about the others again', async () => {
    const { registry, get, asked } = await forged();
    registry.levers.answers.push(answer.unauthorized(/manifests\/2$/));
    asked();
    assert.equal((await get('/v2/victim/app/manifests/2')).status, 401);
    asked();
    assert.equal((await get(`/v2/victim/app/blobs/${secret.digest}`)).status, 200);
    assert.deepEqual(asked(), [`HEAD /v2/victim/app/blobs/${secret.digest}`]);
  });
});

describe('access by network', () => {
  it('refuses everybody else, before anything else is done', async () => {
    const networks = [parseNetwork('10.0.0.0/8'), parseNetwork('fd00::/8')];
    const { get, registry, asked } = await world({ access: { kind: 'networks', networks } });
    registry.hold('victim/app', item, '1');
    assert.equal((await get('/v2/victim/app/manifests/1', { address: '10.1.2.3' })).status, 200);
    asked();
    for (const path of ['/v2/', '/v2/victim/app/manifests/1', '/v2/victim/app/manifests/2']) {
      const told = await get(path, { address: '192.0.2.1' });
      assert.deepEqual([told.status, told.code, told.headers['cache-status']], [403, 'DENIED', undefined]);
    }
    assert.deepEqual(asked(), []);
  });
});

describe('a request with a login of its own', () => {
  const authorization = 'Bearer of-the-client';

  it('is passed to the registry and to nobody else, and where nothing is held it passes by', async () => {
    const { registry, get, head, store } = await world({ holds: false });
    registry.hold('victim/app', item, '1');
    const manifest = await get('/v2/victim/app/manifests/1', { authorization });
    assert.deepEqual([manifest.status, manifest.headers['cache-status']], [200, 'sampan; fwd=bypass']);
    const blob = await get(`/v2/victim/app/blobs/${secret.digest}`, { authorization });
    assert.deepEqual([blob.status, blob.body.length], [200, 5000]);
    assert.equal(
      (await get(`/v2/victim/app/blobs/${secret.digest}`, { authorization, range: 'bytes=-7' })).body.length,
      7,
    );
    assert.equal((await head(`/v2/victim/app/blobs/${secret.digest}`, { authorization })).status, 200);
    assert.equal((await head('/v2/victim/app/manifests/1', { authorization })).status, 200);
    assert.equal((await get('/v2/victim/app/tags/list', { authorization })).status, 200);
    assert.equal((await get(`/v2/victim/app/referrers/${item.digest}`, { authorization })).status, 200);
    assert.ok(registry.log.every((asked) => asked.headers['authorization'] === authorization));
    assert.equal(store.usage().blobs, 0);
    assert.equal(await store.book.verdict({ registry: 'docker.io', name: 'victim/app' }), undefined);
  });

  it('is refused if the registry refuses it, whatever we hold', async () => {
    const { registry, get } = await forged();
    registry.levers.answers.push(answer.unauthorized(/victim/));
    assert.equal((await get(`/v2/victim/app/blobs/${secret.digest}`, { authorization })).status, 401);
  });
});
