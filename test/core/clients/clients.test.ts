// containerd, podman, buildkit and k3s: what is written for them, and what is left alone.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { clients } from '../../../src/core/clients/clients.ts';
import { byMirror, byProxy, ca, type Files, machine, texts } from './machines.ts';

describe('containerd', () => {
  const config = '/etc/containerd/config.toml';
  const hosts = '/etc/containerd/certs.d/ghcr.io/hosts.toml';
  const configOf = (version: string | undefined, text?: string) =>
    texts('containerd', byMirror(), { version, files: text === undefined ? {} : { [config]: text } })[config];
  const table = (name: string) => `[plugins.${name}.registry]\n  config_path = "/etc/containerd/certs.d"\n`;
  const [second, third] = [table('"io.containerd.grpc.v1.cri"'), table('"io.containerd.cri.v1.images"')];

  const leads: readonly (readonly [string, string, string | undefined, string | undefined])[] = [
    ['1.6 without a file', '1.6.20~ds1', undefined, `version = 2\n\n${second}`],
    ['2.x without a file', '2.1.0', undefined, `version = 3\n\n${third}`],
    ['2.x with a file of version 2', '2.1.0', 'version = 2 # mine\n', `version = 2 # mine\n\n${second}`],
    ['a file of version 1', '1.6.0', 'root = "/x"\n', `root = "/x"\n\n${table('cri')}`],
    ['the CRI plugin switched off, as Docker ships it', '1.7.0', 'disabled_plugins = ["cri"]\n', undefined],
    [
      'an empty value, as in the defaults',
      '1.7.0',
      `version = 2\n${second.replace('/etc/containerd/certs.d', '')}`,
      `version = 2\n${second}`,
    ],
    [
      'a table that is there',
      '1.7.0',
      'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\n',
      `version = 2\n${second}`,
    ],
  ];
  for (const [what, version, before, after] of leads) test(what, () => assert.equal(configOf(version, before), after));

  test('what cannot be added to is refused, with what to do by hand', () => {
    const inline = 'version = 2\nplugins = { "io.containerd.grpc.v1.cri" = { registry = {} } }\n';
    assert.throws(() => configOf('1.7.0', inline), /cannot be added to safely[^]*config_path = "/);
  });

  test('a hosts.toml for each registry, where the CRI plugin looks', () => {
    assert.equal(
      texts('containerd', byMirror(), { version: '1.7.0' })[hosts],
      'server = "https://ghcr.io"\n\n[host."http://127.0.0.1:5050"]\n  capabilities = ["pull", "resolve"]\n',
    );
    const files = { [config]: 'version = 2\n[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/x:/y"\n' };
    const written = texts('containerd', byMirror(), { version: '1.7.0', files });
    assert.deepEqual(Object.keys(written), ['/x/docker.io/hosts.toml', '/x/ghcr.io/hosts.toml']);
    // 2.1 took the list for the name of one directory.
    assert.match(texts('containerd', byMirror(), { version: '2.1.1', files })[config] ?? '', /config_path = "\/x"$/m);
  });

  test('hosts that are there stay, behind the mirror', () => {
    const there = '# mine\nserver = "https://other"\n\n[host."https://old"]\n  capabilities = ["pull"]\n';
    assert.equal(
      texts('containerd', byMirror(), { version: '1.7.0', files: { [hosts]: there } })[hosts],
      '# mine\nserver = "https://other"\n\n[host."http://127.0.0.1:5050"]\n  capabilities = ["pull", "resolve"]\n\n[host."https://old"]\n  capabilities = ["pull"]\n',
    );
  });

  test('mirrors of the old kind are refused, because the CRI plugin would not load', () => {
    const old = '[plugins."io.containerd.grpc.v1.cri".registry.mirrors."docker.io"]\nendpoint = ["https://x"]\n';
    assert.throws(() => configOf('1.7.0', `version = 2\n${old}`), /registry\.mirrors, and containerd's CRI plugin/);
  });

  test('an imported file that speaks of the CRI plugin has to lead there, for config.toml does not count beside', () => {
    const imports = (...what: string[]) => ({ [config]: `version = 2\nimports = ${JSON.stringify(what)}\n` });
    const conf = '/etc/containerd/conf.d';
    const sandbox = 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "x"\n';
    const led = `${sandbox}[plugins."io.containerd.grpc.v1.cri".registry]\nconfig_path = "/x"\n`;
    const plan = (files: Files, version = '1.6.20') => texts('containerd', byMirror(), { version, files });
    const refused = /corp\.toml takes the place .*let it say:\n {2}\[plugins\."io\.containerd\.grpc.*config_path = "/s;
    for (const what of [`${conf}/*.toml`, `${conf}/corp.toml`, 'conf.d/corp.toml']) {
      assert.throws(() => plan({ ...imports(what), [`${conf}/corp.toml`]: sandbox }), refused);
    }
    const nested = { [`${conf}/a.toml`]: 'imports = ["corp.toml", "a.toml"]\n', [`${conf}/corp.toml`]: sandbox };
    assert.throws(() => plan({ ...imports(`${conf}/a.toml`), ...nested }), refused);
    const old = { [`${conf}/corp.toml`]: `${sandbox}registry.mirrors."docker.io".endpoint = ["https://x"]\n` };
    assert.throws(() => plan({ ...imports(`${conf}/*`), ...old }), /corp\.toml has registry\.mirrors, and containerd/);
    assert.ok('/x/ghcr.io/hosts.toml' in plan({ ...imports(`${conf}/*`), [`${conf}/corp.toml`]: led }));
    assert.ok(config in plan({ ...imports(`${conf}/*.toml`), [`${conf}/other.toml`]: 'oom_score = 1\n' }));
    assert.throws(() => plan(imports('/etc/*/x.toml')), /imports \/etc\/\*\/x\.toml, which cannot be followed/);
    assert.throws(() => plan({ ...imports(`${conf}/a.toml`), [`${conf}/a.toml`]: '[' }), /a\.toml:1:\d+: /);
    // From 2.2 on this folder counts unless something else is said.
    assert.throws(() => plan({ [`${conf}/corp.toml`]: sandbox }, '2.2.0'), refused);
    assert.ok(config in plan({ [`${conf}/corp.toml`]: sandbox }, '2.1.0'));
  });

  test('a broken file is refused with line and column', () => {
    assert.throws(() => configOf('1.7.0', 'version = 2\n[grpc\n'), /^Refusal: \/etc\/containerd\/config\.toml:2:\d+: /);
    assert.throws(() => configOf('1.4.12'), /hosts\.toml is for containerd 1\.5/);
  });

  test('a proxy is the environment of the unit; a CA lies with each registry, beside those that are there', () => {
    const on = { version: '1.7.0', files: { [hosts]: 'ca = "mine.pem"\n' } };
    const written = texts('containerd', byProxy(undefined, { ca }), on);
    const unit = written['/etc/systemd/system/containerd.service.d/sampan-proxy.conf'] ?? '';
    assert.match(unit, /^\[Service\]\nEnvironment="HTTP_PROXY=http:\/\/127\.0\.0\.1:8384"$/m);
    assert.equal(written['/etc/containerd/certs.d/docker.io/sampan-ca.crt'], ca);
    assert.equal(written[hosts], 'ca = ["mine.pem", "/etc/containerd/certs.d/ghcr.io/sampan-ca.crt"]\n');
    assert.throws(() => clients.containerd(byProxy(), machine({ systemd: false })), /no systemd here/);
  });
});

describe('podman', () => {
  const dropIn = '/etc/containers/registries.conf.d/sampan.conf';

  test('a drop-in of its own; without TLS it says insecure; at home for who is not root', () => {
    const text = texts('podman', byMirror(), {})[dropIn] ?? '';
    assert.match(text, /\[\[registry\]\]\nprefix = "ghcr\.io"\nlocation = "ghcr\.io"\n\[\[registry\.mirror\]\]\n/);
    assert.match(text, /location = "127\.0\.0\.1:5050\/ghcr\.io"\ninsecure = true\n/);
    const own = texts('podman', byMirror('https://hub.example.com:8443', { ca }), { home: '/home/me' });
    const base = '/home/me/.config/containers';
    assert.deepEqual(Object.keys(own), [
      `${base}/registries.conf.d/sampan.conf`,
      `${base}/certs.d/hub.example.com:8443/sampan-ca.crt`,
    ]);
    assert.doesNotMatch(Object.values(own).join(), /insecure/);
  });

  test('a registry that another file speaks of is left alone, and said how', () => {
    const files = {
      '/etc/containers/registries.conf.d/a.conf': '[[registry]]\nlocation = "ghcr.io"\nblocked = true\n',
    };
    const { files: written, notes } = clients.podman(byMirror(), machine({ files }));
    assert.doesNotMatch(written[0]?.text ?? '', /ghcr/);
    assert.match(notes.join('\n'), /a\.conf says where ghcr\.io is pulled from.*"127\.0\.0\.1:5050\/ghcr\.io"/);
  });

  test('a proxy is the environment of the engine and not of containers, unless a list of that is there', () => {
    const text = texts('podman', byProxy(), {})['/etc/containers/containers.conf.d/sampan.conf'] ?? '';
    assert.match(
      text,
      /^env = \["HTTP_PROXY=http:\/\/127\.0\.0\.1:8384", "HTTPS_PROXY=http:\/\/127\.0\.0\.1:8384"\]$/m,
    );
    assert.match(text, /^http_proxy = false$/m);
    const files = { '/etc/containers/containers.conf': '[engine]\nenv = ["A=b"]\n' };
    assert.throws(() => clients.podman(byProxy(), machine({ files })), /has a list \[engine\] env/);
  });

  test('a secret in a URL can be read by all who pull, and that is said; at home it cannot', () => {
    const wish = byProxy('http://me:pass@proxy:8384');
    const everybodys = clients.podman(wish, machine());
    assert.equal(everybodys.files[0]?.forAll, true);
    assert.match(everybodys.notes.join(), /everybody on this machine can read the secret/);
    assert.equal(clients.podman(wish, machine({ home: '/home/me' })).files[0]?.forAll, false);
  });
});

describe('buildkit', () => {
  const config = '/etc/buildkit/buildkitd.toml';

  test('mirrors for each registry, before those that are there, and http for the mirror itself', () => {
    const files = { [config]: 'debug = true\n\n[registry."ghcr.io"]\n  mirrors = ["old"]\n' };
    assert.equal(
      texts('buildkit', byMirror(), { files })[config],
      `debug = true

[registry."ghcr.io"]
  mirrors = ["127.0.0.1:5050", "old"]

[registry."docker.io"]
  mirrors = ["127.0.0.1:5050"]

[registry."127.0.0.1:5050"]
  http = true
`,
    );
  });

  test('a proxy with a CA is trusted for each registry, beside what is trusted already', () => {
    const files = { [config]: '[registry."docker.io"]\n  ca = ["mine.pem"]\n' };
    const text = texts('buildkit', byProxy(undefined, { ca }), { files })[config] ?? '';
    assert.match(text, /^ {2}ca = \["mine\.pem", "\/etc\/buildkit\/sampan-ca\.pem"\]$/m);
  });
});

describe('k3s', () => {
  const config = '/etc/rancher/k3s/registries.yaml';

  test('endpoints for each registry; what else is there stays, comments too', () => {
    const files = { [config]: '# ours\nconfigs:\n  "a.example":   # old\n    auth: {username: me}\n' };
    const lines = ['docker.io', 'ghcr.io'].map(
      (name) => `  ${name}:\n    endpoint:\n      - "http://127.0.0.1:5050"\n`,
    );
    assert.equal(texts('k3s', byMirror(), { files })[config], `${files[config]}mirrors:\n${lines.join('')}`);
    const deep = { [config]: 'mirrors: # all\n    # first\n    quay.io:\n        endpoint: [x]\n' };
    const text = texts('k3s', byMirror(), { files: deep })[config] ?? '';
    assert.ok(
      text.endsWith('    # first\n    quay.io:\n        endpoint: [x]\n') && text.includes('\n    docker.io:\n'),
    );
  });

  test('a path is all that comes before the repository; a CA belongs to the host', () => {
    const written = texts('k3s', byMirror('https://hub.example.com/secret', { ca }), {})[config] ?? '';
    assert.match(written, /- "https:\/\/hub\.example\.com\/secret\/v2"/);
    assert.match(written, /configs:\n {2}hub\.example\.com:\n {4}tls:\n {6}ca_file: "\/etc\/rancher\/k3s\/sampan-ca/);
  });

  test('a registry that has endpoints is refused, a broken file too', () => {
    const on = (text: string) => machine({ files: { [config]: text } });
    const taken = on('mirrors:\n  ghcr.io:\n    endpoint: ["https://x"]\n');
    assert.throws(() => clients.k3s(byMirror(), taken), /says already where ghcr\.io is pulled from/);
    assert.throws(() => clients.k3s(byMirror(), on('a: 1\nb: [\n')), /registries\.yaml:3:\d+: /);
  });

  test("a proxy is for k3s' containerd alone, of the server or of the agent", () => {
    const env = (service: string) => `/etc/systemd/system/${service}.service.env`;
    const lines = 'CONTAINERD_HTTP_PROXY=http://127.0.0.1:8384\nCONTAINERD_HTTPS_PROXY=http://127.0.0.1:8384\n';
    const there = { [env('k3s')]: 'K3S_TOKEN=a\n' };
    assert.deepEqual(texts('k3s', byProxy(), { files: there }), { [env('k3s')]: `K3S_TOKEN=a\n${lines}` });
    const agent = { '/etc/systemd/system/k3s-agent.service': '' };
    assert.deepEqual(texts('k3s', byProxy(), { files: agent }), { [env('k3s-agent')]: lines });
  });
});
