// The real app behind another one that knows passwords, too: no login that is shown there gets what the secret in its endpoint opens.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import bcrypt from 'bcryptjs';
import type { ReachableFace } from '../conformance/chain.ts';
import { basic, DoorLab, item, key, layerAt, secrets } from '../conformance/door.ts';
import { openApp } from './real-app.ts';

const directory = await mkdtemp(join(tmpdir(), 'sampan-chain-'));
after(() => rm(directory, { recursive: true, force: true }));
const htpasswd = join(directory, 'users');
await writeFile(htpasswd, `carol:${await bcrypt.hash('right', 4)}\n`);

const targets = ['/v2/acme/secret/manifests/1', layerAt('acme/secret'), '/v2/acme/secret/tags/list'];
const shown = {
  'a login of anybody': basic('x', 'y'),
  'a wrong password': basic('carol', 'wrong'),
  'the password of an account that may not have it': basic('carol', 'right'),
  'a token of anybody': 'Bearer x',
};

const modes = [undefined, 'own', 'account'] as const;
for (const login of modes) {
  for (const outer of modes) {
    describe(`login: ${login ?? 'none'}, behind one with login: ${outer ?? 'none'} and passwords`, () => {
      const lab = new DoorLab();
      let front: ReachableFace;
      let behind: ReachableFace;
      before(async () => {
        const open = async (settings: Parameters<typeof openApp>[0]) => {
          const { 'docker.io': hub, ...others } = settings['registries'] as Readonly<Record<string, object>>;
          const registries = { ...others, 'docker.io': { ...hub, login: outer } };
          return (front = await openApp({ ...settings, registries, access: 'login', htpasswd }));
        };
        await lab.open(open, 'account', {});
        const endpoints = [`${front.origin}/${secrets.alice}/docker.io`];
        const registries = { 'docker.io': { endpoints, login } };
        behind = await openApp({ key, access: 'open', catalogue: false, registries });
      });
      after(async () => {
        await behind?.close();
        await lab.close();
      });

      for (const [what, authorization] of Object.entries(shown)) {
        it(`${what} opens nothing`, async () => {
          for (const target of targets) {
            const { status, body } = await behind.request({
              target,
              headers: { host: 'behind.example', authorization },
            });
            assert.ok(status === 401 || status === 403, `${target}: ${status}`);
            assert.ok(!Buffer.from(body).includes(item.body));
          }
        });
      }

      it('at the one before it a wrong password beside the secret is wrong, and who shows none has what the secret opens', async () => {
        const target = `/${secrets.alice}/docker.io${targets[0]}`;
        assert.equal((await front.request({ target })).status, 200);
        const headers = { authorization: basic('carol', 'wrong') };
        assert.equal((await front.request({ target, headers })).status, 401);
      });
    });
  }
}
