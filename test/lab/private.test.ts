// Real clients pull a private image with their own logins: the second of them from here, and nobody else can tell.
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { basic } from '../../src/core/oci/login.ts';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { Gate } from '../fakes/registry/gate.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { skopeo } from './clients/containers.ts';
import { type Login, loginClients } from './clients/login.ts';
import { type Lab, parts, startLab, temporary } from './lab.ts';
import { need } from './need.ts';
import { Running } from './process.ts';
import { type Sampan, startSampan } from './sampan.ts';

const settings = { key: 'a key of the lab, 32 characters or so', access: 'login' };
const [owner, mate, guest] = ['owner', 'mate', 'guest'].map((user): Login => ({ user, password: 'swordfish' }));

async function largestIn(directory: string): Promise<number> {
  const names = await readdir(directory);
  return Math.max(...(await Promise.all(names.map(async (name) => (await stat(join(directory, name))).size))));
}

/** As clients log in: a token for the repository, and what it gets. */
async function ask(sampan: Sampan, { user, password }: Login, repository: string, method: string, object: string) {
  const scope = `service=docker.io&scope=repository:${repository}:pull`;
  const asked = await fetch(`${sampan.url}/token?${scope}`, { headers: { authorization: basic(user, password) } });
  const { token } = (await asked.json()) as { token: string };
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${sampan.url}/v2/${repository}/${object}`, { method, headers });
  const { date: _, ...rest } = Object.fromEntries(answer.headers);
  return { status: answer.status, headers: rest, body: await answer.text() };
}

for (const client of loginClients) {
  describe(`a private image, by ${client.name}`, { skip: need(...parts, ...client.needs) }, () => {
    let lab: Lab;
    let sampan: Sampan;
    before(async () => {
      lab = await startLab();
      const { 'docker.io': hub } = lab.registries;
      assert.ok(hub);
      sampan = await startSampan(lab.directory, { 'docker.io': { ...hub, login: 'own' } }, settings);
    });
    after(async () => {
      await sampan?.stop();
      await lab?.close();
    });

    test('comes from the registry once, for whoever may have it, and is refused to others as before', async () => {
      assert.ok(owner && mate && guest);
      const pull = async (login: Login) =>
        client.pull(
          'private/app:latest',
          sampan.url.replace('http://', ''),
          login,
          await mkdtemp(join(lab.directory, 'own-')),
        );
      const refusals = async () => {
        const all = [];
        for (const method of ['GET', 'HEAD']) {
          for (const object of [`manifests/${lab.digests.docker}`, 'manifests/latest', `blobs/${lab.digests.docker}`]) {
            all.push(await ask(sampan, guest, 'private/app', method, object));
          }
        }
        return all;
      };
      const earlier = await refusals();
      assert.ok(earlier.every(({ status }) => status === 401));
      assert.ok((await pull(owner)).includes(lab.digests.docker));
      for (const login of [owner, mate]) {
        await lab.forget();
        assert.ok((await pull(login)).includes(lab.digests.docker));
        const asked = [...(await lab.cdn.accesses()), ...(await lab.upstream.accesses())];
        // Lists are asked for each time: skopeo inspects them.
        const objects = asked.filter(({ path, status }) => !/^\/v2\/$|\/tags\/list$/.test(path) && status < 400);
        assert.ok(objects.length > 0);
        assert.deepEqual(
          objects.filter(({ method }) => method !== 'HEAD'),
          [],
        );
      }
      await assert.rejects(pull(guest));
      assert.deepEqual(await refusals(), earlier);
    });
  });
}

describe('a private layer, half-way', { skip: need(...skopeo.needs) }, () => {
  const layer = layerOf(randomBytes(3, 4_000_000));
  const half = layer.bytes.size / 2;
  const blob = `/v2/acme/secret/blobs/${layer.digest}`;

  test('goes on with the login of who is still there when the first is killed', async () => {
    const directory = await temporary();
    const registry = await startRegistry();
    const gate = new Gate();
    registry.hold('acme/secret', image({ layers: [layer] }), '1');
    const logins = { 'ann:x': ['acme/secret'], 'ben:x': ['acme/secret'] };
    registry.levers.token = { expiresIn: 300, private: ['acme/secret'], logins };
    registry.levers.stall = { after: half, gate, digest: layer.digest };
    registry.levers.breakOff = { after: half, times: 1, digest: layer.digest };
    const upstream = { endpoints: [registry.url], login: 'own', lanes: 1 };
    const sampan = await startSampan(directory, { 'docker.io': upstream }, settings);
    try {
      const copy = (user: string) => {
        const source = `docker://${sampan.url.replace('http://', '')}/acme/secret:1`;
        const args = ['--src-creds', `${user}:x`, '--src-tls-verify=false', source, `dir:${directory}/${user}`];
        return new Running('skopeo', ['--insecure-policy', 'copy', ...args], { directory });
      };
      const first = copy('ann');
      await gate.reached();
      const [anns] = registry.asked(blob, 'GET').map(({ headers }) => headers.authorization);
      const second = copy('ben');
      const bens = () => registry.asked(blob, 'HEAD').map(({ headers }) => headers.authorization)[1];
      await second.until('bytes', async () => assert.ok((await largestIn(join(directory, 'ben'))) > half / 2));
      await first.stop('SIGKILL');
      // Two turns of sampan's loop: it has seen whatever came before.
      for (let turn = 0; turn < 2; turn++) await (await fetch(`${sampan.url}/healthz`)).bytes();
      gate.open();
      await sampan.until('end of the second', async () => assert.ok(second.exited));
      assert.equal(await second.stop(), 0, second.output);
      const asked = registry.asked(blob, 'GET').map(({ headers }) => [headers.range, headers.authorization]);
      assert.deepEqual(asked, [
        [undefined, anns],
        [`bytes=${half}-`, bens()],
      ]);
      assert.notEqual(anns, bens());
    } finally {
      gate.open();
      await sampan.stop();
      await registry.down();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
