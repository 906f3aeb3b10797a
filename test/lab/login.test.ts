// Real clients log in: with the registry's own login, which sampan relays, and with an account of sampan's.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { macOfSecret } from '../../src/core/access/accounts.ts';
import { createSecret } from '../../src/core/access/secret.ts';
import { createMac } from '../../src/node/mac.ts';
import { type Login, type LoginClient, loginClients } from './clients/login.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { need } from './need.ts';
import { type Sampan, startSampan } from './sampan.ts';

const key = 'a key of the lab, 32 characters or so';
const secret = createSecret(new Uint8Array(16).fill(7));
const owner: Login = { user: 'owner', password: 'swordfish' };

describe('a login', { skip: need(...parts) }, () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab();
  });
  after(() => lab?.close());

  async function start(login: string, more: Readonly<Record<string, unknown>>, credentials = {}): Promise<Sampan> {
    const registry = lab.registries['docker.io'];
    assert.ok(registry);
    return startSampan(lab.directory, { 'docker.io': { ...registry, login, ...credentials } }, { key, ...more });
  }

  async function pull(
    sampan: Sampan,
    client: LoginClient,
    login: Login | undefined,
    image = 'private/app:latest',
  ): Promise<readonly string[]> {
    const directory = await mkdtemp(join(lab.directory, 'login-'));
    return client.pull(image, sampan.url.replace('http://', ''), login, directory);
  }

  /** No secret is in a line of sampan's, and none got to the CDN. */
  function assertDiscreet(sampan: Sampan): void {
    for (const text of ['swordfish', 'eyJ', secret.slice(7), key]) assert.ok(!sampan.output.includes(text), text);
  }

  for (const client of loginClients) {
    describe(`of ${client.name}`, { skip: need(...client.needs) }, () => {
      test('at the registry itself, relayed, opens a private image to its owner and to nobody else', async () => {
        for (const access of ['login', 'open']) {
          const sampan = await start('own', { access });
          try {
            assert.ok((await pull(sampan, client, owner)).includes(lab.digests.docker));
            await assert.rejects(pull(sampan, client, { user: 'owner', password: 'wrong' }));
            await assert.rejects(pull(sampan, client, undefined));
            const anybody = pull(sampan, client, undefined, 'library/docker:latest');
            if (access === 'login') await assert.rejects(anybody);
            else assert.ok((await anybody).includes(lab.digests.docker));
            assertDiscreet(sampan);
          } finally {
            await sampan.stop();
          }
        }
      });

      test('with an account of sampan’s opens what its rules name, with sampan’s credentials', async () => {
        const mac = `hmac-sha256:${Buffer.from(await macOfSecret(createMac(key), secret)).toString('hex')}`;
        const accounts = { alice: { mac, allow: ['docker.io/private/*'] } };
        const credentials = { credentials: { username: owner.user, password: owner.password } };
        const sampan = await start('account', { access: 'login', accounts }, credentials);
        try {
          assert.ok((await pull(sampan, client, { user: 'alice', password: secret })).includes(lab.digests.docker));
          await assert.rejects(pull(sampan, client, owner));
          await assert.rejects(pull(sampan, client, undefined));
          assertDiscreet(sampan);
        } finally {
          await sampan.stop();
        }
      });
    });
  }
});
