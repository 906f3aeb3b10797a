// The table for a registry that counts, and has nothing left: what every face then tells its clients, and does not ask.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { answer, noLevers } from '../fakes/registry/levers.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import type { Settings } from './door.ts';
import type { FaceAnswer, RunningFace } from './face.ts';

const held = image({ layers: [layerOf(randomBytes(1, 5000))] });
const wanted = image({ layers: [layerOf(randomBytes(2, 5000))] });
const ofHeld = '/v2/library/held/manifests/latest';

export function describeBudget(name: string, open: (settings: Settings) => Promise<RunningFace>): void {
  describe(name, () => {
    let registry: FakeRegistry;
    let face: RunningFace;
    before(async () => {
      registry = await startRegistry();
      registry.hold('library/held', held, 'latest');
      registry.hold('library/wanted', wanted, 'latest');
      registry.hold('library/others', wanted, 'latest');
      const registries = { 'docker.io': { endpoints: [registry.url] } };
      face = await open({ access: 'open', catalogue: false, registries });
    });
    after(async () => {
      await face?.close();
      await registry?.down();
    });
    beforeEach(() => {
      Object.assign(registry.levers, noLevers());
      registry.log.length = 0;
    });

    const get = (target: string, headers = {}): Promise<FaceAnswer> => face.request({ target, headers });
    const manifests = () => registry.asked(/\/manifests\//).map(({ method, path }) => `${method} ${path}`);

    it('a 429 to one login is told it again without its being asked, and to no other', async () => {
      registry.levers.answers.push({ ...answer.tooMany(/./), times: 1 });
      for (let times = 0; times < 5; times += 1) {
        const told = await get('/v2/library/others/manifests/latest', { authorization: 'Bearer one' });
        assert.equal(told.status, 429);
      }
      assert.equal(registry.log.length, 1);
      const other = await get('/v2/library/others/manifests/latest', { authorization: 'Bearer other' });
      assert.equal(other.status, 200);
    });

    it('what the last of it was spent on is served, and what is new is a 429 that says who limits whom, and until when', async () => {
      registry.levers.counts = { limit: 1, left: 1 };
      assert.equal((await get(ofHeld)).status, 200);
      assert.deepEqual(manifests(), [`HEAD ${ofHeld}`, `GET /v2/library/held/manifests/${held.digest}`]);
      registry.log.length = 0;
      for (let times = 0; times < 5; times += 1) {
        assert.equal((await get(ofHeld)).status, 200);
        const told = await get('/v2/library/wanted/manifests/latest');
        assert.equal(told.status, 429);
        assert.ok(Number(told.headers['retry-after']) > 0);
        const { errors } = JSON.parse(Buffer.from(told.body).toString()) as { errors: readonly unknown[] };
        const { host } = new URL(registry.url);
        assert.deepEqual(errors, [
          {
            code: 'TOOMANYREQUESTS',
            message: `nothing is left at ${host} for now: it counts the requests of 203.0.113.7, 1 in 21600 s`,
            detail: { limitedBy: host, source: '203.0.113.7', limit: 1, remaining: 0, window: 21_600 },
          },
        ]);
      }
      assert.deepEqual(manifests(), []);
      const { digest, bytes } = held.blobs.at(-1)!;
      assert.equal((await get(`/v2/library/held/blobs/${digest}`)).body.length, bytes.size);
    });
  });
}
