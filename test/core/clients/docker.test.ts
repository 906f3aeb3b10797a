// docker: what is written for which version and image store, and what is refused because dockerd would.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { planDocker } from '../../../src/core/clients/docker.ts';
import { Refusal } from '../../../src/core/clients/plan.ts';
import { daemonJsons, meaningOf } from './daemon-json.ts';
import { byMirror, byProxy, ca, ghcr, machine, texts } from './machines.ts';

const daemon = '/etc/docker/daemon.json';
const hosts = (name: string) => `/etc/docker/certs.d/${name}/hosts.toml`;
const keysOf = (text = '{}') => Object.keys(meaningOf(text));

describe('docker by a mirror', () => {
  const cases: readonly (readonly [string, 'containerd' | 'graphdriver' | undefined, readonly string[]])[] = [
    ['20.10.24', undefined, [daemon]],
    ['27.5.1', 'containerd', [daemon]],
    ['28.0.0', 'graphdriver', [daemon]],
    ['28.0.0', 'containerd', [hosts('docker.io'), hosts('ghcr.io')]],
    ['29.1.3', undefined, [daemon, hosts('docker.io'), hosts('ghcr.io')]],
  ];
  for (const [version, imageStore, paths] of cases) {
    test(`${version} with ${imageStore ?? 'an unknown'} store: ${paths.join(', ')}`, () => {
      const written = texts('docker', byMirror(), { version, imageStore });
      assert.deepEqual(Object.keys(written), paths);
      assert.ok(keysOf(written[daemon]).every((key) => key === 'registry-mirrors'));
    });
  }

  test('a version that nobody knows gets what every version takes, and is told so', () => {
    const { files, notes } = planDocker(byMirror(), machine());
    assert.deepEqual(keysOf(files.find(({ path }) => path === daemon)?.text), ['registry-mirrors']);
    assert.match(notes.join('\n'), /--client-version/);
  });

  test('it says that registry-mirrors is for Docker Hub only, and how the others are pulled', () => {
    const { notes, commands } = planDocker(byMirror(), machine({ version: '20.10.24' }));
    assert.match(notes.join(), /Docker Hub only, and Docker 20\.10\.24 .* docker pull 127\.0\.0\.1:5050\/ghcr\.io\//);
    assert.deepEqual(commands, [['systemctl', 'reload', 'docker']]);
    const other = byMirror(undefined, { registries: [ghcr] });
    assert.throws(() => planDocker(other, machine({ version: '20.10.24' })), Refusal);
  });

  test('the mirror comes before those that are there, once; whatever else is said stays', () => {
    const there = { [daemon]: '{"registry-mirrors":["https://other","http://127.0.0.1:5050/"]}' };
    assert.equal(texts('docker', byMirror(), { version: '20.10.24', files: there })[daemon], there[daemon]);
    fc.assert(
      fc.property(daemonJsons, (text) => {
        const files = { [daemon]: text };
        const written = texts('docker', byMirror(), { version: '20.10', files })[daemon] ?? '';
        const { 'registry-mirrors': mirrors, ...rest } = meaningOf(written);
        const { 'registry-mirrors': before, ...others } = meaningOf(text);
        assert.deepEqual(rest, others);
        assert.deepEqual(mirrors, ['http://127.0.0.1:5050', ...((before ?? []) as string[])]);
      }),
      { seed: 20_261_120, numRuns: 300 },
    );
  });

  test('a path is for 25 and later', () => {
    const wish = byMirror('https://hub.example.com/secret/');
    assert.throws(() => planDocker(wish, machine({ version: '24.0.9' })), /with a path is for Docker 25/);
    assert.match(texts('docker', wish, { version: '25.0.0' })[daemon] ?? '', /"https:\/\/hub\.example\.com\/secret"/);
  });

  test('a CA is installed where each of the two stores looks', () => {
    const wish = byMirror('https://hub.example.com:8443', { ca });
    const old = texts('docker', wish, { version: '20.10.24' });
    assert.equal(old['/etc/docker/certs.d/hub.example.com:8443/sampan-ca.crt'], ca);
    const now = texts('docker', wish, { version: '29.0.0', imageStore: 'containerd' });
    assert.equal(now['/etc/docker/certs.d/sampan-ca.pem'], ca);
    assert.match(now[hosts('ghcr.io')] ?? '', /^ {2}ca = "\/etc\/docker\/certs\.d\/sampan-ca\.pem"$/m);
  });

  const flagged = [
    '/etc/default/docker',
    '/etc/systemd/system/docker.service.d/mirror.conf',
    '/lib/systemd/system/docker.service',
    '/run/systemd/system/docker.service',
    '/usr/lib/systemd/system/docker.service.d/mirror.conf',
  ];
  for (const path of flagged) {
    test(`a flag in ${path} that dockerd takes for a conflict is named, and nothing planned`, () => {
      const files = { [path]: 'DOCKER_OPTS="--registry-mirror=https://other"\n' };
      assert.throws(
        () => planDocker(byMirror(), machine({ files })),
        (error: Error) => error.message.startsWith(path),
      );
      planDocker(byMirror(), machine({ files: { [path]: `# ${files[path]}` } }));
    });
  }

  test("an administrator's unit takes the place of the vendor's, whose flags do not count then", () => {
    const vendors = { '/usr/lib/systemd/system/docker.service': 'ExecStart=dockerd --registry-mirror=https://other\n' };
    const own = { '/etc/systemd/system/docker.service': 'ExecStart=dockerd\n' };
    assert.ok(daemon in texts('docker', byMirror(), { version: '27.0', files: { ...vendors, ...own } }));
  });

  test('a daemon.json that dockerd does not read is not written; it says which one to edit', () => {
    const plan = (options: string, wish = byMirror()) =>
      planDocker(wish, machine({ version: '27.0', files: { '/etc/default/docker': `DOCKER_OPTS="${options}"\n` } }));
    const refused = /docker makes dockerd read \/srv\/d\.json, not .*let that say:\n.*"registry-mirrors": \[\n/;
    assert.throws(() => plan('--config-file=/srv/d.json'), refused);
    assert.throws(() => plan('-D --config-file /srv/d.json'), refused);
    assert.throws(() => plan('--config-file=/srv/d.json', byProxy()), /"proxies": \{\n.*"http-proxy"/);
    plan(`--config-file=${daemon}`);
  });

  const broken: readonly (readonly [string, RegExp])[] = [
    ['{\n  "debug": true,\n}\n', /^\/etc\/docker\/daemon\.json:3:1: found "}", expected .*nothing was written/],
    ['[]', /daemon\.json is not a JSON object/],
  ];
  for (const [text, message] of broken) {
    test(`a daemon.json that is ${JSON.stringify(text)} is refused`, () => {
      const on = machine({ files: { [daemon]: text } });
      assert.throws(() => planDocker(byMirror(), on), { name: 'Refusal', message });
    });
  }
});

describe('docker by a proxy', () => {
  test('from 23 on it stands in daemon.json, and what else is in proxies stays', () => {
    const files = { [daemon]: '{\n  "proxies": {\n    "no-proxy": "*.lan",\n    "http-proxy": "http://old"\n  }\n}\n' };
    assert.equal(
      texts('docker', byProxy(), { version: '23.0.0', files })[daemon],
      '{\n  "proxies": {\n    "no-proxy": "*.lan",\n    "http-proxy": "http://127.0.0.1:8384",\n    "https-proxy": "http://127.0.0.1:8384"\n  }\n}\n',
    );
    assert.deepEqual(keysOf(texts('docker', byProxy(), { version: '29.0.1' })[daemon]), ['proxies']);
  });

  for (const version of ['20.10.24+dfsg1', '22.06.0-beta', undefined]) {
    test(`${version ?? 'an unknown version'} would not start with that: it gets a drop-in`, () => {
      const written = texts('docker', byProxy(), { version });
      assert.deepEqual(written, {
        '/etc/systemd/system/docker.service.d/sampan-proxy.conf':
          '# Written by sampan configure.\n[Service]\n' +
          'Environment="HTTP_PROXY=http://127.0.0.1:8384"\nEnvironment="HTTPS_PROXY=http://127.0.0.1:8384"\n',
      });
    });
  }

  test('without systemd it stands in /etc/default/docker, where it stood before or at the end', () => {
    const path = '/etc/default/docker';
    const files = { [path]: '# mine\nexport HTTP_PROXY="http://old"\nDOCKER_OPTS=""' };
    assert.equal(
      texts('docker', byProxy(), { version: '20.10.24', systemd: false, files })[path],
      "# mine\nexport HTTP_PROXY='http://127.0.0.1:8384'\nDOCKER_OPTS=\"\"\nexport HTTPS_PROXY='http://127.0.0.1:8384'\n",
    );
  });

  test('a CA for interception: each registry has its own, and Docker Hub only with the containerd image store', () => {
    const wish = byProxy(undefined, { ca });
    const crt = (name: string) => `/etc/docker/certs.d/${name}/sampan-ca.crt`;
    assert.deepEqual(Object.keys(texts('docker', wish, { version: '24.0.0' })), [daemon, crt('ghcr.io')]);
    assert.match(
      planDocker(wish, machine({ version: '24.0.0' })).notes.join('\n'),
      /by sampan ca install .* update-ca-certificates/,
    );
    const modern = { version: '29.0.0', imageStore: 'containerd' } as const;
    assert.deepEqual(Object.keys(texts('docker', wish, modern)), [daemon, crt('docker.io'), crt('ghcr.io')]);
  });
});
