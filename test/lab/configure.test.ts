// `sampan configure` for real clients: they start with what it wrote into a copy of this machine's /etc, pull by it, and it takes all back.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { after, before, describe, test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { clientsOnCopy, onCopy } from './clients/copy.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { need } from './need.ts';
import { run } from './process.ts';
import { type Sampan, startSampan } from './sampan.ts';
import { needMounts } from './small-disk.ts';

const image = 'docker.io/library/multi:latest';
const { docker, podman, containerd } = clientsOnCopy;

describe('clients as sampan configures them', { skip: needMounts() || need(...parts, 'cp', 'sh') }, () => {
  let lab: Lab;
  let sampan: Sampan;

  before(async () => {
    lab = await startLab();
    sampan = await startSampan(lab.directory, lab.registries);
  });
  after(async () => {
    await sampan?.stop();
    await lab?.close();
  });

  for (const client of ['containerd', 'podman', 'docker'] as const) {
    test(`${client} pulls from the mirror`, { skip: need(...clientsOnCopy[client]) }, () =>
      onCopy(lab, client, async (machine) => {
        await machine.configure('--mirror', sampan.url);
        assert.ok((await machine.pull(image)).includes(lab.digests.multi));
      }),
    );
  }

  // Not dockerd: it believes whoever is on the loopback.
  for (const client of ['containerd', 'podman'] as const) {
    test(`${client} believes the mirror's CA, and not without`, { skip: need(...clientsOnCopy[client]) }, (t) =>
      onCopy(lab, client, async (machine) => {
        const { url, ca } = await startTls(t, lab, sampan);
        await machine.configure('--mirror', url);
        // As the mirror cannot be asked, the registry is, to which nothing leads.
        await assert.rejects(machine.pull(image));
        await machine.configure('--mirror', url, '--ca', ca);
        assert.ok((await machine.pull(image)).includes(lab.digests.multi));
      }),
    );
  }

  test("containerd's CRI plugin takes config_path, and loads", { skip: need(...containerd) }, () =>
    onCopy(lab, 'containerd', async (machine) => {
      await machine.configure('--mirror', sampan.url);
      const dump = await machine.run('containerd', 'config', 'dump');
      assert.match(dump, /^\s*config_path = "\/etc\/containerd\/certs\.d"$/m);
      const plugins = await machine.withContainerd((at) => machine.run('ctr', '--address', at, 'plugins', 'list'));
      assert.match(plugins, /^io\.containerd\.grpc\.v1\s+cri\s.*\sok\s*$/m);
    }),
  );

  test(
    "an imported section takes the place of config.toml's, and has to lead there",
    { skip: need(...containerd) },
    () =>
      onCopy(lab, 'containerd', async (machine) => {
        const section = 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\n  sandbox_image = "x/pause:3"\n';
        const led = `${section}[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n`;
        await machine.has(
          '/etc/containerd/config.toml',
          led.replace('[', 'imports = ["/etc/containerd/more/*.toml"]\n['),
        );
        await machine.has('/etc/containerd/more/corp.toml', section);
        assert.match(await machine.run('containerd', 'config', 'dump'), /^\s*config_path = ""$/m);
        await machine.has('/etc/containerd/more/corp.toml', led);
        await machine.configure('--mirror', sampan.url);
        assert.match(
          await machine.run('containerd', 'config', 'dump'),
          /^\s*config_path = "\/etc\/containerd\/certs\.d"$/m,
        );
      }),
  );

  test('podman goes through the proxy, and its containers do not', { skip: need(...podman) }, (t) =>
    onCopy(lab, 'podman', async (machine) => {
      await machine.configure('--mirror', sampan.url);
      await machine.pull(image);
      const proxy = await startProxy(t);
      await machine.configure('--proxy', proxy.url);
      const container = await machine.podman('create', image, '/any');
      const environment = await machine.podman('inspect', '--format', '{{.Config.Env}}', container.trim());
      assert.doesNotMatch(environment, /PROXY/i);
      const refused = await machine.podman('pull', 'docker.io/library/other').catch(String);
      assert.match(refused, /registry-1\.docker\.io.*Forbidden/);
      assert.ok(proxy.asked.includes('registry-1.docker.io:443'), proxy.asked.join(', '));
    }),
  );

  test('dockerd starts with daemon.json, whose other keys count as before', { skip: need(...docker) }, () =>
    onCopy(lab, 'docker', async (machine) => {
      await machine.has('/etc/docker/daemon.json', '{\n\t"labels": ["mine=1"],\n\t"debug": false\n}');
      await machine.configure('--mirror', sampan.url);
      await machine.withDockerd([], async (cli) => {
        const info = await cli('info', '--format', '{{json .RegistryConfig.Mirrors}} {{json .Labels}}');
        assert.equal(info.trim(), `["${sampan.url}/"] ["mine=1"]`);
      });
    }),
  );

  test('dockerd reads the mirrors again when it is reloaded, without a restart', { skip: need(...docker) }, () =>
    onCopy(lab, 'docker', async (machine) => {
      await machine.has('/etc/docker/daemon.json', '{}');
      await machine.withDockerd([], async (cli, daemon) => {
        await machine.configure('--mirror', sampan.url);
        process.kill(daemon.pid, 'SIGHUP');
        await daemon.until('mirror', async () =>
          assert.match(await cli('info', '--format', '{{json .RegistryConfig.Mirrors}}'), /127\.0\.0\.1/),
        );
      });
    }),
  );

  test('dockerd goes through the proxy', { skip: need(...docker) }, (t) =>
    onCopy(lab, 'docker', async (machine) => {
      const proxy = await startProxy(t);
      await machine.configure('--proxy', proxy.url);
      // As the init script does, where there is no systemd.
      const init = ['sh', '-c', 'if [ -f /etc/default/docker ]; then . /etc/default/docker; fi; exec "$@"', 'sh'];
      await machine.withDockerd(init, async (cli) => assert.rejects(cli('pull', image)));
      assert.ok(proxy.asked.includes('registry-1.docker.io:443'), proxy.asked.join(', '));
    }),
  );
});

/** sampan behind TLS, with a certificate that nobody knows. */
async function startTls(t: TestContext, { directory }: Lab, sampan: Sampan) {
  const [key, ca] = [join(directory, 'front.key'), join(directory, 'front.pem')];
  const name = ['-subj', '/CN=front', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', ca, '-days', '2', ...name], { directory });
  const { hostname, port } = new URL(sampan.url);
  const server = createTlsServer({ key: readFileSync(key), cert: readFileSync(ca) }, (socket) => {
    pipeline(socket, connect(Number(port), hostname), socket, () => {});
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('tlsClientError', () => {});
  t.after(() => server.close());
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, ca };
}

/** It refuses everybody, and remembers where to they wanted. */
async function startProxy(t: TestContext) {
  const asked: string[] = [];
  const server = createServer().listen(0, '127.0.0.1');
  server.on('connect', ({ url = '' }, socket) => {
    asked.push(url);
    socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
  });
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}
