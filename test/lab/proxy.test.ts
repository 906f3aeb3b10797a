// Real clients whose HTTPS_PROXY is sampan pull from Docker Hub's own hosts, which are the lab's, through tunnels.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Client } from './clients/client.ts';
import { containerd } from './clients/containerd.ts';
import { podman } from './clients/containers.ts';
import { docker } from './clients/docker.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { need } from './need.ts';
import { freePort, run } from './process.ts';
import { type Sampan, startSampan } from './sampan.ts';
import { type Secure, startSecure } from './secure.ts';

describe('a pull through tunnels', { skip: need(...parts) }, () => {
  let lab: Lab;
  let secure: Secure;
  let sampan: Sampan;
  let proxy: string;

  before(async () => {
    lab = await startLab();
    secure = await startSecure(lab);
    const listen = `127.0.0.1:${await freePort('127.0.0.1')}`;
    proxy = `http://${listen}`;
    const more = { catalogue: true, resolve: secure.resolve, proxy: { listen } };
    sampan = await startSampan(lab.directory, {}, more);
  });
  after(async () => {
    await sampan?.stop();
    await secure?.stop();
    await lab?.close();
  });

  async function pull(client: Client, image: string): Promise<readonly string[]> {
    const directory = await mkdtemp(join(lab.directory, `${client.name}-`));
    const way = { address: undefined, prefix: '', proxy, ca: secure.ca };
    return (await client.pull(image, way, directory)).digests;
  }

  for (const client of [docker, containerd, podman]) {
    test(
      `${client.name} gets what the registry has, by way of its token service and its CDN`,
      { skip: need(...client.needs) },
      async () => {
        await secure.forget();
        assert.ok((await pull(client, 'library/multi:latest')).includes(lab.digests.multi));
        const asked = await secure.upstream.accesses();
        assert.ok(
          asked.some(({ path }) => path.includes('/manifests/')),
          JSON.stringify(asked),
        );
        assert.ok(lab.tokens.log.length > 0);
        assert.ok((await lab.cdn.accesses()).length > 0);
        for (const host of Object.keys(secure.resolve)) {
          assert.match(
            sampan.output,
            new RegExp(`"how":"tunnel","address":"127.0.0.1","host":"${host}","registry":"docker.io"`),
          );
        }
      },
    );
  }

  test(
    'curl gets a sentence for any other host, and nothing from an allowed one by another name',
    { skip: need('curl') },
    async () => {
      const curl = (...args: string[]) =>
        run('curl', ['--silent', '--show-error', '--cacert', secure.ca, '--proxy', proxy, '--verbose', ...args], {
          directory: lab.directory,
        });
      for (const target of [
        'https://example.com/',
        'https://169.254.169.254/',
        'https://registry-1.docker.io:22/',
        'https://evildocker.io/',
        'https://docker.io.evil.com/',
        'http://example.com/',
      ]) {
        const output = await curl(target).catch((error: Error) => error.message);
        assert.match(output, /403 this proxy is for container registries only/, target);
      }
      assert.match(await curl('https://registry-1.docker.io/v2/'), /401 Unauthorized/);
      // TLS for another host than the tunnel is for.
      const by = ['--connect-to', 'example.com:443:registry-1.docker.io:443'];
      const other = await curl(...by, 'https://example.com/').catch((error: Error) => error.message);
      assert.match(other, /200 Connection established/);
      await sampan.until('line of that tunnel', async () => assert.match(sampan.output, /"ended":"other-name"/));
    },
  );
});
