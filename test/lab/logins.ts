// Real clients log in: with the registry's own login, which is relayed, and with an account of sampan's. One table, for each face.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { macOfSecret } from '../../src/core/access/accounts.ts';
import { createSecret } from '../../src/core/access/secret.ts';
import { createMac } from '../../src/node/mac.ts';
import { clients } from './clients/all.ts';
import { docker } from './clients/docker.ts';
import { type Login, loginClients } from './clients/login.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { startNames } from './names.ts';
import { need } from './need.ts';
import type { Upstreams } from './sampan.ts';

export interface RunningFace {
  /** `127.0.0.1:5050` */
  readonly address: string;
  /** Everything that it has logged. */
  readonly output: string;
  stop(): Promise<void>;
}

/** `directory`: of the lab, for what it keeps. `settings`: keys of the configuration that every kind of sampan has. */
export type StartFace = (
  directory: string,
  registries: Upstreams,
  settings: Readonly<Record<string, unknown>>,
) => Promise<RunningFace>;

const key = 'a key of the lab, 32 characters or so';
const secret = createSecret(new Uint8Array(16).fill(7));
const owner: Login = { user: 'owner', password: 'swordfish' };
const member: Login = { user: 'alice', password: secret };

export function describeLogins(name: string, startFace: StartFace): void {
  describe(name, { skip: need(...parts) }, () => {
    let lab: Lab;
    before(async () => {
      lab = await startLab();
    });
    after(() => lab?.close());

    /** Runs it for so long, and holds it to what none may ever do. */
    async function withFace(
      registry: Partial<Upstreams[string]>,
      settings: Readonly<Record<string, unknown>>,
      use: (face: RunningFace) => Promise<void>,
    ): Promise<void> {
      const { 'docker.io': hub } = lab.registries;
      assert.ok(hub);
      await lab.forget();
      const face = await startFace(lab.directory, { 'docker.io': { ...hub, ...registry } }, { key, ...settings });
      try {
        await use(face);
      } finally {
        await face.stop();
      }
      // The CDN answers 400 to whoever shows it an authorization.
      const atCdn = await lab.cdn.accesses();
      assert.ok(atCdn.length > 0 && atCdn.every(({ status }) => status < 400), JSON.stringify(atCdn));
      const asked = JSON.stringify([atCdn, await lab.upstream.accesses(), lab.tokens.log]);
      assert.ok(!asked.includes(secret.slice(7)));
      for (const text of ['swordfish', 'eyJ', secret.slice(7), key]) assert.ok(!face.output.includes(text), text);
    }

    async function withAccount(use: (face: RunningFace) => Promise<void>): Promise<void> {
      const mac = `hmac-sha256:${Buffer.from(await macOfSecret(createMac(key), secret)).toString('hex')}`;
      const accounts = { alice: { mac, allow: ['docker.io/private/*'] } };
      const credentials = { username: owner.user, password: owner.password };
      await withFace({ login: 'account', credentials }, { access: 'login', accounts }, use);
    }

    const directory = () => mkdtemp(join(lab.directory, 'login-'));

    for (const client of loginClients) {
      describe(`of ${client.name}`, { skip: need(...client.needs) }, () => {
        const pull = async ({ address }: RunningFace, login: Login | undefined, image = 'private/app:latest') =>
          client.pull(image, address, login, await directory());

        for (const access of ['login', 'open']) {
          test(`at the registry itself opens a private image to its owner alone, with access: ${access}`, () =>
            withFace({ login: 'own' }, { access }, async (face) => {
              const multi = async (login: Login | undefined) =>
                assert.ok((await pull(face, login, 'library/multi:latest')).includes(lab.digests.multi));
              assert.ok((await pull(face, owner)).includes(lab.digests.docker));
              // Most of a client's time is its own daemon's.
              await Promise.all([
                assert.rejects(pull(face, { ...owner, password: 'wrong' })),
                assert.rejects(pull(face, undefined)),
                access === 'open' ? multi(undefined) : assert.rejects(pull(face, undefined, 'library/multi:latest')),
                multi(owner),
              ]);
            }));
        }

        test('with an account of sampan’s opens what is public, and what its rules name with sampan’s credentials', () =>
          withAccount(async (face) => {
            assert.ok((await pull(face, member)).includes(lab.digests.docker));
            const [multi] = await Promise.all([
              pull(face, member, 'library/multi:latest'),
              assert.rejects(pull(face, owner)),
              assert.rejects(pull(face, undefined)),
            ]);
            assert.ok(multi.includes(lab.digests.multi));
          }));
      });
    }

    for (const client of clients.filter((each) => each !== docker)) {
      test(
        `${client.name} names the secret first in the path, where it is a mirror`,
        { skip: need(...client.needs) },
        () =>
          withAccount(async ({ address }) => {
            const mirror = { address: `${address}/${secret}`, prefix: '' };
            const { digests } = await client.pull('library/multi:latest', mirror, await directory());
            assert.ok(digests.includes(lab.digests.multi));
          }),
      );
    }

    test('docker names it first in the host, where it is a mirror', { skip: need(...docker.needs) }, () =>
      withAccount(async ({ address }) => {
        const names = await startNames(address);
        try {
          const mirror = { address: `${secret}.hub.example`, prefix: '', proxy: names.url };
          const { digests } = await docker.pull('library/multi:latest', mirror, await directory());
          assert.ok(digests.includes(lab.digests.multi));
          assert.ok(names.asked.includes(mirror.address));
        } finally {
          await names.close();
        }
      }),
    );
  });
}
