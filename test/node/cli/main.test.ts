// The command line as somebody meets it: help, version, and what it does not understand.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { version } from '../../../src/node/version.ts';

const main = fileURLToPath(new URL('../../../src/node/cli/main.ts', import.meta.url));

function sampan(args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: '/',
    env: environment,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test('it tells its version', () => {
  assert.deepEqual(sampan(['--version']), { status: 0, stdout: `${version}\n`, stderr: '' });
});

test('help shows the commands and examples', () => {
  const { status, stdout } = sampan(['--help']);
  assert.equal(status, 0);
  assert.match(stdout, /serve \[options\]/);
  assert.match(stdout, /Examples:\n {2}sampan serve /);
  assert.match(
    sampan(['serve', '--help']).stdout,
    /--config <file>[^]*--listen <host:port>[^]*--data <directory>[^]*--log-level <level>/,
  );
});

const misused: readonly (readonly [args: readonly string[], message: RegExp])[] = [
  [['serv'], /^error: unknown command 'serv'\n\(Did you mean serve\?\)/],
  [['serve', '--lisen', 'x'], /^error: unknown option '--lisen'\n\(Did you mean --listen\?\)/],
  [['serve', 'here'], /^error: too many arguments/],
  [['serve', '--listen'], /^error: option '-l, --listen <host:port>' argument missing/],
  [[], /^Usage: sampan/],
];
for (const [args, message] of misused) {
  test(`is no command line: sampan ${args.join(' ')}`, () => {
    const { status, stdout, stderr } = sampan(args);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, message);
  });
}

test('a configuration that is wrong is told line by line, without a stack', () => {
  const { status, stdout, stderr } = sampan(['serve', '--listen', 'x'], { SAMPAN_CATALOGUE: 'x', SAMPAN_LISTN: 'x' });
  assert.deepEqual([status, stdout], [2, '']);
  assert.equal(
    stderr,
    `sampan: the configuration has 3 errors
  --listen: listen: found "x", expected host:port, such as 127.0.0.1:5050 or "[::1]:5050"
  SAMPAN_CATALOGUE: catalogue: found "x", expected true or false
  SAMPAN_LISTN: found an unknown variable; did you mean SAMPAN_LISTEN?
`,
  );
});

test('--print-config shows what counts and starts nothing; a wrong configuration is told as by serve', () => {
  const key = 'k'.repeat(40);
  const { status, stdout, stderr } = sampan(['serve', '--print-config', '--listen', '127.0.0.1:1'], {
    SAMPAN_KEY: key,
  });
  assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
  assert.match(stdout, /^listen: 127\.0\.0\.1:1\ndata: \/data\n[^]*^key: "\*\*\*"$/m);
  assert.doesNotMatch(stdout, /kkk/);
  const mistakes: readonly Readonly<Record<string, string>>[] = [
    { SAMPAN_PULL_AHEAD: '99' },
    { SAMPAN_TLS_CERTIFICATE: '/none', SAMPAN_TLS_KEY: '/none' },
  ];
  for (const wrong of mistakes) {
    const refused = sampan(['serve', '--print-config'], wrong);
    assert.deepEqual([refused.status, refused.stdout], [2, '']);
    assert.equal(refused.stderr, sampan(['serve'], wrong).stderr);
  }
});
