// What gets into the log, and what never does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import { NoRoom } from '../../../src/core/mirror/ports.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { parseDigest } from '../../../src/core/oci/digest.ts';
import { createLog } from '../../../src/node/log/log.ts';
import type { LogLevel } from '../../../src/node/log/lines.ts';
import { terminal } from '../../../src/node/log/terminal.ts';

const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
const repository = { registry: 'docker.io', name: 'library/alpine' };

function capture(level: LogLevel = 'debug') {
  const lines: string[] = [];
  const log = createLog(level, { write: (line) => lines.push(line) });
  return { log, lines, last: () => JSON.parse(lines.at(-1) ?? '{}') as Record<string, unknown> };
}

const served = {
  kind: 'served',
  method: 'GET',
  path: '/v2/library/alpine/manifests/latest',
  what: 'manifest',
  registry: 'docker.io',
  status: 200,
  outcome: 'hit',
  bytes: 1234,
  poured: 0,
  ms: 3.4,
  address: '10.0.0.7',
  tls: 'TLSv1.2',
  whole: false,
} as const;

const passed = {
  kind: 'passed',
  how: 'tunnel',
  address: '10.0.0.7',
  host: 'ghcr.io',
  registry: 'ghcr.io',
  sent: 517,
  received: 1_234_567,
  ms: 12_345,
  ended: 'done',
} as const;

const events: readonly (readonly [MirrorEvent, level: string | undefined, message: RegExp])[] = [
  [
    { ...served, whole: true },
    'info',
    /^GET \/v2\/library\/alpine\/manifests\/latest 200 hit, 1\.2 kB in 3 ms to 10\.0\.0\.7$/,
  ],
  [served, 'info', / to 10\.0\.0\.7, who left$/],
  [{ ...served, error: new Error('wrong bytes') }, 'warn', / to 10\.0\.0\.7, cut off: wrong bytes$/],
  [{ ...served, what: 'page', path: '/readyz', whole: true }, 'debug', /^GET \/readyz 200 /],
  [
    {
      kind: 'asked',
      registry: 'docker.io',
      host: 'registry-1.docker.io',
      what: 'blob',
      method: 'GET',
      status: 200,
      ms: 12_345,
    },
    'debug',
    /^GET of a blob at registry-1\.docker\.io: 200 in 12 s$/,
  ],
  [
    {
      kind: 'asked',
      registry: 'docker.io',
      host: 'registry-1.docker.io',
      what: 'blob',
      method: 'GET',
      status: undefined,
      ms: 1,
      error: Object.assign(new Error(''), { code: 'ECONNREFUSED' }),
    },
    'debug',
    /^GET of a blob at registry-1\.docker\.io failed after 1 ms: ECONNREFUSED$/,
  ],
  [{ kind: 'fill', repository, digest, ahead: false }, 'debug', /^fetching sha256:a+ of docker\.io\/library\/alpine$/],
  [
    { kind: 'fill', repository, digest, ahead: true },
    'debug',
    /^fetching sha256:a+ of docker\.io\/library\/alpine ahead$/,
  ],
  [{ kind: 'stored', digest, size: 2_500_000_000, kept: 0, ms: 1 }, 'debug', /^stored sha256:a+, 2\.5 GB in 1 ms$/],
  [
    { kind: 'stored', digest, size: 5000, kept: 2000, ms: 1 },
    'debug',
    /^stored .+ in 1 ms, 2\.0 kB of it from before$/,
  ],
  [passed, 'info', /^proxy: tunnel of 10\.0\.0\.7 to ghcr\.io, 517 B sent, 1\.2 MB received in 12 s$/],
  [{ ...passed, ended: 'other-name' }, 'info', / in 12 s, closed: what the client sent names another host, or none$/],
  [{ ...passed, ended: 'upstream', error: new Error('reset') }, 'info', /, broken off by the host: reset$/],
  [
    {
      kind: 'refused',
      address: '10.0.0.7',
      target: 'CONNECT a.example:443',
      status: 403,
      why: 'not for that',
      remedy: 'proxy: { allow: ["a.example"] }',
    },
    'info',
    /^proxy: CONNECT a\.example:443 of 10\.0\.0\.7 refused, 403: not for that; to allow it: proxy: \{ allow: \["a\.example"\] \}$/,
  ],
  [{ kind: 'redirected', registry: 'docker.io', host: 'cdn.docker.com' }, undefined, /^$/],
  [{ kind: 'evicted', digest, size: 12 }, 'debug', /^evicted sha256:a+, 12 B$/],
  [{ kind: 'fill-failed', digest, error: new Error('reset') }, 'warn', /^could not store sha256:a+: reset$/],
  [
    { kind: 'fill-failed', digest, error: new NoRoom('full', new Error('the disk is full')) },
    'debug',
    /^could not store sha256:a+: the store has no room for it: the disk is full$/,
  ],
  [
    { kind: 'stale', repository, name: 'latest', error: new RegistryError('UNAVAILABLE', 'down') },
    'warn',
    /^served docker\.io\/library\/alpine:latest stale: down$/,
  ],
  [
    { kind: 'trouble', where: 'store', doing: 'write', error: new Error('full', { cause: new Error('disk') }) },
    'warn',
    /^trouble with the store while write: full: disk$/,
  ],
  [
    { kind: 'trouble', where: 'store', doing: 'write', error: new Error('full'), times: 12 },
    'warn',
    /^trouble with the store while write, 12 times by now: full$/,
  ],
  [
    { kind: 'trouble', where: 'book', doing: 'writing to it', error: Object.assign(new Error('x'), { code: 'EROFS' }) },
    'warn',
    /^trouble with the book while writing to it: the disk is read-only$/,
  ],
  [
    { kind: 'trouble', where: 'book', doing: 'writing to it', error: new Error('x'), known: true },
    'debug',
    /^trouble with the book while writing to it: x$/,
  ],
  [{ kind: 'recovered', where: 'store' }, 'info', /^the store works again$/],
  [
    { kind: 'bad-blob', digest, size: 12, found: 'scrubbing' },
    'error',
    /^sha256:a+ turned bad on the disk, found while scrubbing; it is put aside and will be fetched again$/,
  ],
  [
    { kind: 'reloaded', changed: ['access', 'hosts'], later: ['listen'] },
    'info',
    /^read the configuration anew: changed access, hosts; listen: changes at the next start$/,
  ],
  [
    { kind: 'not-reloaded', error: new Error('two errors\n  line 3\n') },
    'error',
    /^everything stays as it was: two errors \| line 3$/,
  ],
  [{ kind: 'bug', error: new TypeError('x is undefined') }, 'error', /^bug: x is undefined$/],
  [{ kind: 'received', registry: 'docker.io', bytes: 1 }, undefined, /^$/],
];

for (const [event, level, message] of events) {
  test(`an event of kind ${event.kind} is ${level === undefined ? 'no line' : `a line of level ${level}: ${message.source}`}`, () => {
    const { log, lines, last } = capture();
    log.report(event);
    assert.equal(lines.length, level === undefined ? 0 : 1);
    assert.equal(last()['level'], level);
    assert.match((last()['msg'] as string | undefined) ?? '', message);
  });
}

test('below the level nothing is written', () => {
  const { log, lines } = capture('warn');
  log.info('a');
  log.debug('b');
  for (const [event] of events) log.report(event);
  assert.deepEqual(
    new Set(lines.map((line) => (JSON.parse(line) as { level: string }).level)),
    new Set(['warn', 'error']),
  );
});

test('of an error only name, code, message, stack and causes are told; the stack only of bugs', () => {
  const { log, last } = capture();
  const error = Object.assign(
    new Error('outer', { cause: Object.assign(new Error('inner'), { code: 'E1', headers: 'secret' }) }),
    {
      request: { authorization: 'secret' },
      code: 'E0',
    },
  );
  log.report({ kind: 'fill-failed', digest, error });
  assert.deepEqual(last()['error'], {
    name: 'Error',
    code: 'E0',
    message: 'outer',
    cause: { name: 'Error', code: 'E1', message: 'inner' },
  });
  log.report({ kind: 'bug', error });
  const told = last()['error'] as { stack: string; cause: { stack: string } };
  assert.match(told.stack, /log\.test\.ts/);
  assert.match(told.cause.stack, /log\.test\.ts/);
  assert.doesNotMatch(JSON.stringify(last()), /secret/);
});

test('a chain of causes that has no end has one in the log', () => {
  const { log, last } = capture();
  const error = new Error('round');
  error.cause = error;
  log.report({ kind: 'bug', error });
  assert.match(String(last()['msg']), /^bug: round(?:: round){5}$/);
});

test('what is thrown and is no error is told as what it is', () => {
  const { log, last } = capture();
  log.report({ kind: 'bug', error: { password: 'secret' } });
  assert.deepEqual(last()['error'], { message: 'not an error: object' });
});

const leaks = [
  'https://cdn.example/blob?X-Amz-Signature=secret&Expires=1',
  'https://cdn.example?sig=secret',
  'https://cdn.example/"?sig=a"secret',
  'HTTPS://cdn.example/a?x=y\\secret',
  'https://alice:secret@registry.example/v2/',
  'https://alice:p@ss@secret@registry.example/v2/?a=secret#secret',
  'https://alice:secret?secret@registry.example/v2/',
  'https://a.example/?to=b@secret',
  'authorization: Bearer secret.secret',
  'authorization: Basic c2VjcmV0secret==',
  '"authorization":"bearer secret"',
  'https://a.example/#access_token=secret',
];
for (const leak of leaks) {
  test(`a secret in a message, a stack or a fact is taken out: ${leak}`, () => {
    const { log, lines, last } = capture();
    log.warn(`failed: ${leak} end`, { note: [leak], error: new Error(leak, { cause: new Error(leak) }) });
    log.report({ kind: 'bug', error: new Error(leak) });
    log.report({ kind: 'fill-failed', digest, error: leak });
    assert.equal(lines.length, 3);
    assert.doesNotMatch(lines.join(''), /secret/);
    assert.equal(last()['level'], 'warn');
  });
}

test('redaction leaves the rest of a line alone', () => {
  const { log, last } = capture();
  log.info('GET https://a.example/v2/x?sig=1 of "b" failed, see http://c.example/d', { after: 'here' });
  assert.equal(last()['msg'], 'GET https://a.example/v2/x?… of "b" failed, see http://c.example/d');
  assert.equal(last()['after'], 'here');
  log.info('dialled through socks5://me:swordfish@proxy.lan:1080 and on');
  assert.equal(last()['msg'], 'dialled through socks5://…@proxy.lan:1080 and on');
});

test('on a terminal a line is time, level and sentence, and a bug has its stack', () => {
  const lines: string[] = [];
  const log = createLog('debug', terminal({ write: (line) => lines.push(line) }, false));
  log.info('hello', { address: '127.0.0.1:5050' });
  assert.match(lines[0] ?? '', /^\[\d\d:\d\d:\d\d\] INFO: hello\n$/);
  log.report({ kind: 'bug', error: new Error('oh', { cause: 'https://a.example/?secret' }) });
  assert.match(lines[1] ?? '', /ERROR: bug: oh: https:\/\/a\.example\/\?…\nError: oh\n +at .*log\.test\.ts/);
});

test('nobody outside moves the cursor of a terminal or writes a line of his own', () => {
  const lines: string[] = [];
  const log = createLog('debug', terminal({ write: (line) => lines.push(line) }, false));
  log.report({ kind: 'fill-failed', digest, error: new Error('\u001b[2J\r\n[00:00:00] INFO: all is well \u009b2J') });
  assert.equal(
    lines
      .join('')
      .trimEnd()
      .split(/[\r\n]/).length,
    1,
  );
  // oxlint-disable-next-line no-control-regex
  assert.doesNotMatch(lines.join(''), /[\u001b\u009b]/);
});
