// `sampan configure` as somebody meets it: what it shows, when it writes, what it refuses, and how it takes all back.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../src/node/cli/main.ts', import.meta.url));
const mirror = ['--mirror', 'http://127.0.0.1:5050', '--registry', 'docker.io', '--client-version', '20.10.24'];

async function root(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-configure-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  mkdirSync(join(directory, 'etc/docker'), { recursive: true });
  return directory;
}

function configure(args: readonly string[], more: { readonly uid?: number; readonly path?: string } = {}) {
  const { path = '/nowhere', ...options } = more;
  return spawnSync(process.execPath, [main, 'configure', ...args], {
    cwd: '/',
    env: { PATH: path },
    encoding: 'utf8',
    ...options,
  });
}

test('it shows the change, writes, changes nothing the second time, and brings back what was there', async (t) => {
  const at = await root(t);
  const file = join(at, 'etc/docker/daemon.json');
  const before = '{\n    "data-root": "/srv/docker"\n}';
  writeFileSync(file, before);
  const first = configure(['docker', ...mirror, '--root', at, '--yes']);
  assert.deepEqual([first.status, first.stderr], [0, '']);
  assert.equal(
    first.stdout,
    `--- ${file}
+++ ${file}
@@ -1,3 +1,4 @@
 {
-    "data-root": "/srv/docker"
+    "data-root": "/srv/docker",
+    "registry-mirrors": ["http://127.0.0.1:5050"]
 }
\\ No newline at end of file
Written. What was there before is kept in ${at}/var/backups/sampan/docker.json; --undo brings it back.
`,
  );
  assert.equal(configure(['docker', ...mirror, '--root', at, '--yes']).stdout, 'Nothing to change.\n');
  assert.match(configure(['docker', '--undo', '--root', at, '--yes']).stdout, /^-.*registry-mirrors[^]*^Undone\.\n$/m);
  assert.equal(readFileSync(file, 'utf8'), before);
  assert.equal(configure(['docker', '--undo', '--root', at, '--yes']).stdout, 'Nothing to undo.\n');
});

test('without a terminal to ask at it writes nothing, and says so; --print only shows', async (t) => {
  const at = await root(t);
  const asked = configure(['podman', '--mirror', 'http://127.0.0.1:5050', '--root', at]);
  assert.equal(asked.status, 1);
  assert.match(asked.stderr, /^sampan: nothing was written: there is no terminal to ask at; --yes /);
  const shown = configure(['podman', '--mirror', 'http://10.0.0.1:5050', '--root', at, '--print']);
  assert.deepEqual([shown.status, shown.stderr], [0, '']);
  assert.match(shown.stdout, /^\+prefix = "public\.ecr\.aws"$[^]*^Note: http:\/\/10\.0\.0\.1:5050 is not encrypted/m);
  assert.equal(existsSync(join(at, 'etc/containers')), false);
});

test('undoing refuses to lose what somebody else wrote, shows it, and does it with --yes', async (t) => {
  const at = await root(t);
  const file = join(at, 'etc/docker/daemon.json');
  configure(['docker', ...mirror, '--root', at, '--yes']);
  writeFileSync(file, '{ "debug": true }\n');
  const refused = configure(['docker', '--undo', '--root', at]);
  assert.equal(refused.status, 1);
  assert.match(refused.stdout, /^Changed by somebody else[^]*^\+\{ "debug": true \}$/m);
  assert.equal(readFileSync(file, 'utf8'), '{ "debug": true }\n');
  assert.equal(configure(['docker', '--undo', '--root', at, '--yes']).status, 0);
  assert.equal(existsSync(file), false);
});

test('so does a second run; with --yes it goes on from that, and undoing still leads to before the first', async (t) => {
  const at = await root(t);
  const file = join(at, 'etc/docker/daemon.json');
  writeFileSync(file, '{ "log-level": "warn" }');
  configure(['docker', ...mirror, '--root', at, '--yes']);
  const edited = readFileSync(file, 'utf8').replace('warn', 'info');
  writeFileSync(file, edited);
  const other = ['docker', ...mirror, '--mirror', 'http://127.0.0.1:6060', '--root', at];
  const refused = configure(other);
  assert.equal(refused.status, 1);
  assert.match(refused.stdout, /^Changed by somebody else[^]*^\+.*"info"/m);
  assert.match(refused.stderr, /--undo lose that; --yes does it all the same/);
  assert.equal(readFileSync(file, 'utf8'), edited);
  configure([...other, '--yes']);
  assert.match(readFileSync(file, 'utf8'), /"info".*6060/);
  configure(['docker', '--undo', '--root', at, '--yes']);
  assert.equal(readFileSync(file, 'utf8'), '{ "log-level": "warn" }');
});

test('a broken file is told with line and column, and nothing is written', async (t) => {
  const at = await root(t);
  writeFileSync(join(at, 'etc/docker/daemon.json'), '{\n  "debug": true,\n}\n');
  const { status, stdout, stderr } = configure(['docker', ...mirror, '--root', at, '--yes']);
  assert.deepEqual([status, stdout], [1, '']);
  assert.match(stderr, /^sampan: \/etc\/docker\/daemon\.json:3:1: found "}", expected a string in quotes/);
  assert.equal(existsSync(join(at, 'var')), false);
});

test('without the rights it says sudo', async (t) => {
  const at = await root(t);
  const uid = process.getuid?.() === 0 ? { uid: 65_534 } : {};
  chmodSync(at, 0o555);
  const { status, stderr } = configure(['docker', ...mirror, '--root', at, '--yes'], uid);
  chmodSync(at, 0o755);
  assert.equal(status, 1);
  assert.match(stderr, /^sampan: .*: not permitted; run it with sudo\n$/);
});

test('a password in a URL is not shown, but by --print', async (t) => {
  const at = await root(t);
  const args = ['docker', '--proxy', 'http://do:secret@proxy:8384', '--client-version', '29', '--root', at];
  const written = configure([...args, '--yes']);
  assert.equal(written.status, 0);
  assert.doesNotMatch(written.stdout + written.stderr, /secret/);
  configure(['docker', '--undo', '--root', at, '--yes']);
  assert.match(configure([...args, '--print']).stdout, /do:secret@proxy/);
});

test('nor are secrets that stand near a change', async (t) => {
  const at = await root(t);
  mkdirSync(join(at, 'etc/rancher/k3s'), { recursive: true });
  const text = 'configs:\n  a.example:\n    auth:\n      password: hunter2\n';
  writeFileSync(join(at, 'etc/rancher/k3s/registries.yaml'), text);
  const written = configure(['k3s', '--mirror', 'https://m.example', '--root', at, '--yes']);
  const undone = configure(['k3s', '--undo', '--root', at, '--yes']);
  for (const { status, stdout } of [written, undone]) {
    assert.equal(status, 0);
    assert.match(stdout, /^ {7}password: …$/m);
    assert.doesNotMatch(stdout, /hunter2/);
  }
});

const misused: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [['docker'], /say where sampan is, by one of --mirror/],
  [['docker', '--mirror', 'http://a', '--proxy', 'http://b'], /by one of/],
  [['docker', '--mirror', '127.0.0.1:5050'], /--mirror: a URL such as/],
  [['docker', '--mirror', 'http://me:pass-word@a'], /take no login/],
  [['docker', '--proxy', 'http://a/path'], /--proxy: a URL without a path/],
  [['docker', ...mirror, '--ca', '/nowhere'], /a mirror at http:\/\/ shows no certificate/],
  [['docker', '--mirror', 'https://a', '--ca', '/nowhere'], /--ca: \/nowhere cannot be read \(ENOENT\)/],
  [['docker', '--mirror', 'https://a', '--ca', main], /has no certificates/],
  [['docker', '--mirror', 'https://a', '--registry', '../etc'], /--registry: "\.\.\/etc" is not the host/],
  [['docker', '--mirror', 'https://a', '--root', '/no/where'], /--root: there is no directory/],
  [['docker', '--mirror', 'https://a', '--root', '/tmp', '--restart'], /--restart is for this machine/],
  [['docker', '--undo', '--mirror', 'https://a'], /--undo goes without/],
  [['moby', '--mirror', 'https://a'], /'moby' is invalid for argument 'client'/],
];
for (const [args, message] of misused) {
  test(`cannot be meant: sampan configure ${args.join(' ')}`, () => {
    const { status, stdout, stderr } = configure(args);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /pass-word/);
  });
}

test('what dockerd itself would not take is not written', async (t) => {
  const directory = await root(t);
  const script = `#!/bin/sh
case "$1" in --validate) echo "the following directives are specified both" >&2; exit 1;; esac
echo "Docker version 29.1.0, build abc"
`;
  writeFileSync(join(directory, 'dockerd'), script, { mode: 0o755 });
  writeFileSync(join(directory, 'docker'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  // Nobody says yes, so that nothing is written to this machine whatever happens.
  const path = `${directory}:/usr/bin:/bin`;
  const { status, stderr } = configure(['docker', '--proxy', 'http://127.0.0.1:8384'], { path });
  assert.equal(status, 1);
  assert.match(stderr, /^sampan: dockerd would not take this, so nothing was written: the following directives/);
  // With a version that somebody says, the one that is here need not be the one that is meant.
  const said = configure(['docker', '--proxy', 'http://127.0.0.1:8384', '--client-version', '29'], { path });
  assert.match(said.stderr, /^sampan: nothing was written: there is no terminal to ask at/);
});
