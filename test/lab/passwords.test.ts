// Real clients log in with a password of an htpasswd file, and pull what rules let them.
import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Login, loginClients } from './clients/login.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { need } from './need.ts';
import { type Sampan, startSampan, type Upstreams } from './sampan.ts';

// Made by libxcrypt.
const users = 'carol:$2y$05$bvIG6Nmid91Mu9RcmmWZfOA/vDgBFQhA8qIkhw3UHIn2u7HWyk53y\n';
const carol: Login = { user: 'carol', password: 'swordfish' };
const key = 'a key of the lab, 32 characters or so';

describe('a password of an htpasswd file', { skip: need(...parts) }, () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab();
  });
  after(() => lab?.close());

  async function withSampan(
    registry: Partial<Upstreams[string]>,
    settings: Readonly<Record<string, unknown>>,
    use: (sampan: Sampan, htpasswd: string) => Promise<void>,
  ): Promise<void> {
    const { 'docker.io': hub } = lab.registries;
    assert.ok(hub);
    await lab.forget();
    const htpasswd = join(await mkdtemp(join(lab.directory, 'users-')), 'users');
    await writeFile(htpasswd, users);
    const credentials = { username: 'owner', password: 'swordfish' };
    const registries = { 'docker.io': { ...hub, credentials, ...registry } };
    const sampan = await startSampan(lab.directory, registries, { key, htpasswd, ...settings });
    try {
      await use(sampan, htpasswd);
    } finally {
      await sampan.stop();
    }
    for (const text of ['swordfish', '$2y$', key]) assert.ok(!sampan.output.includes(text), text);
  }

  for (const client of loginClients) {
    describe(`of ${client.name}`, { skip: need(...client.needs) }, () => {
      const pull = async ({ url }: Sampan, login: Login | undefined, image = 'library/multi:latest') =>
        client.pull(image, url.replace('http://', ''), login, await mkdtemp(join(lab.directory, 'login-')));
      const wrong = { ...carol, password: 'wrong' };

      for (const login of ['account', 'none']) {
        test(`lets in where everybody logs in, with login: ${login}, until its line is gone`, () =>
          withSampan({ login }, { access: 'login' }, async (sampan, htpasswd) => {
            assert.ok((await pull(sampan, carol)).includes(lab.digests.multi));
            await assert.rejects(pull(sampan, wrong));
            await assert.rejects(pull(sampan, undefined));
            await writeFile(htpasswd, '');
            process.kill(sampan.pid, 'SIGHUP');
            await sampan.until('the new configuration', async () => assert.match(sampan.output, /changed .*htpasswd/));
            await assert.rejects(pull(sampan, carol));
          }));
      }

      test('opens what its rules name, and no more than rules allow', () =>
        withSampan(
          { login: 'account' },
          {
            access: 'open',
            accounts: { carol: { allow: ['docker.io/private/*'] } },
            rules: [
              { allow: ['docker.io/private/**'], accounts: ['carol'] },
              { allow: ['docker.io/library/multi'] },
              { deny: ['**'] },
            ],
          },
          async (sampan) => {
            assert.ok((await pull(sampan, undefined)).includes(lab.digests.multi));
            assert.ok((await pull(sampan, carol, 'private/app:latest')).includes(lab.digests.docker));
            await assert.rejects(pull(sampan, undefined, 'private/app:latest'));
            await assert.rejects(pull(sampan, carol, 'library/docker:latest'));
          },
        ));
    });
  }
});
