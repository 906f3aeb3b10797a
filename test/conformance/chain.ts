// The table for a sampan behind another one, which lets nobody in without an account: its endpoint has that account's secret in it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { basic, DoorLab, item, kept, key, layerAt, secrets, type Settings, third } from './door.ts';
import type { RunningFace } from './face.ts';

export interface ReachableFace extends RunningFace {
  readonly origin: string;
}

type OpenFace = (settings: Settings) => Promise<ReachableFace>;

/** The account may have acme/secret, as bob may at the one behind; whoever shows nothing there may have what is public. */
export function describeChain(name: string, openBehind: OpenFace, openBefore: OpenFace): void {
  describe(name, () => {
    const lab = new DoorLab();
    let behind: RunningFace;
    before(async () => {
      let endpoint = '';
      const reached = async (settings: Settings): Promise<RunningFace> => {
        const face = await openBefore(settings);
        endpoint = `${face.origin}/${secrets.alice}/docker.io`;
        return face;
      };
      await lab.open(reached, 'account', { access: 'login' });
      behind = await openBehind({
        key,
        access: 'open',
        catalogue: false,
        accounts: { bob: { mac: await kept(secrets.bob), allow: ['docker.io/acme/*'] } },
        registries: { 'docker.io': { endpoints: [endpoint], login: 'account' } },
      });
    });
    after(async () => {
      await behind?.close();
      await lab.close();
    });

    const ask = (target: string, authorization?: string, method = 'GET') =>
      behind.request({ method, target, headers: { host: 'behind.example', ...(authorization && { authorization }) } });
    const bob = basic('bob', secrets.bob);
    const manifest = '/v2/acme/secret/manifests/1';

    it('gives anybody what is public', async () => {
      const got = await ask('/v2/public/app/manifests/1');
      assert.deepEqual([got.status, Buffer.from(got.body).toString()], [200, item.body.toString()]);
      assert.equal((await ask(layerAt('public/app'))).body.length, 5000);
      assert.equal((await ask(`/v2/public/app/manifests/${third.digest}`)).status, 200);
      assert.equal((await ask('/v2/public/app/tags/list')).status, 200);
    });

    it('gives nobody what that account alone opens, also after somebody else had it', async () => {
      for (const round of ['before', 'after']) {
        for (const target of [
          manifest,
          `/v2/acme/secret/manifests/${item.digest}`,
          layerAt('acme/secret'),
          '/v2/acme/secret/tags/list',
        ]) {
          for (const method of ['HEAD', 'GET']) {
            const got = await ask(target, undefined, method);
            assert.deepEqual(
              [got.status, got.headers['cache-status']],
              [403, undefined],
              `${method} ${target} ${round}`,
            );
          }
        }
        assert.equal((await ask(manifest, bob)).status, 200);
        assert.equal((await ask(layerAt('acme/secret'), bob)).body.length, 5000);
      }
    });

    it('gives it to an account of its own that may have it, and says that it is for that one', async () => {
      for (const target of [manifest, layerAt('acme/secret')]) {
        const got = await ask(target, bob);
        assert.equal(got.status, 200);
        assert.match(String(got.headers['cache-status']), /^sampan; fwd=bypass(?:; detail=kept)?$/, target);
      }
    });

    it('shows nobody the secret that it asks with', async () => {
      const secret = secrets.alice.slice(7);
      for (const [target, authorization] of [
        ['/v2/'],
        [manifest],
        ['/v2/acme/secret/tags/list?n=1'],
        ['/v2/public/app/manifests/nothing'],
        ['/v2/public/app/manifests/1', 'Bearer x'],
      ] as const) {
        const got = await ask(target, authorization);
        assert.ok(!`${JSON.stringify(got.headers)}${Buffer.from(got.body).toString()}`.includes(secret), target);
      }
      assert.ok(!lab.sent.includes(secret));
    });
  });
}
