// What a client has changed at the registry, past the mirror: the next pull of it looks again.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTarget, type Reference } from '../../../src/core/oci/reference.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { world } from './world.ts';

const of = (seed: number) => image({ layers: [layerOf(randomBytes(seed, 3000))] });
const named = (target: string): Reference => ({
  repository: { registry: 'docker.io', name: 'library/app' },
  target: parseTarget(target),
});
const path = '/v2/library/app/manifests';

describe('what was changed at the registry', () => {
  it('is a tag that leads to the new image at once, although the old one was fresh', async () => {
    const { registry, mirror, get } = await world();
    registry.hold('library/app', of(1), '1');
    await get(`${path}/1`);
    const moved = registry.hold('library/app', of(2), '1');
    await mirror.forget(named('1'));
    assert.deepEqual((await get(`${path}/1`)).body, moved.body);
  });

  it('is a tag that was not there a moment ago', async () => {
    const { registry, mirror, get } = await world();
    assert.equal((await get(`${path}/1`)).status, 404);
    const { body } = registry.hold('library/app', of(1), '1');
    await mirror.forget(named('1'));
    assert.deepEqual((await get(`${path}/1`)).body, body);
  });

  it('is a digest that is looked for again', async () => {
    const { registry, mirror, get } = await world();
    const { digest } = registry.hold('library/app', of(1), '1');
    await get(`${path}/${digest}`);
    registry.levers.answers.push({ path: new RegExp(`/manifests/${digest}`), status: 404 });
    await mirror.forget(named(digest));
    assert.equal((await get(`${path}/${digest}`)).status, 404);
  });

  it('counts for who was looking at that moment, too', async () => {
    const { registry, mirror, get, asked } = await world();
    const old = registry.hold('library/app', of(1), '1');
    const moved = registry.hold('library/app', of(2), '1');
    const gate = new Gate();
    const headers = {
      'content-type': old.mediaType,
      'content-length': String(old.body.length),
      'docker-content-digest': old.digest,
    };
    registry.levers.answers.push({ path: /\/manifests\/1$/, method: 'HEAD', status: 200, headers, gate, times: 1 });
    const pulled = get(`${path}/1`);
    await gate.reached();
    await mirror.forget(named('1'));
    gate.open();
    assert.deepEqual((await pulled).body, moved.body);
    asked();
    assert.deepEqual((await get(`${path}/1`)).body, moved.body);
    assert.deepEqual(asked(), []);
  });
});
