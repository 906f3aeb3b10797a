// `sampan serve` as a process: it says where it is, stops when told to, and tells in a sentence why it cannot start.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startSentry } from '../../fakes/sentry.ts';
import { freePort } from '../../lab/process.ts';

const launcher = fileURLToPath(new URL('../../../bin/sampan', import.meta.url));

const noFullDevice = !existsSync('/dev/full') && 'there is no /dev/full';

type Line = Readonly<Record<string, unknown>>;

interface Process {
  readonly child: ChildProcess;
  /** The next line of the log that has this in its message. */
  line(having: string): Promise<Line>;
  readonly stderr: Promise<string>;
  readonly exit: Promise<readonly [code: number | null, signal: string | null]>;
}

async function temporaryDirectory(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-serve-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function serve(t: TestContext, data: string, ...args: readonly string[]): Process {
  return serveWith(t, {}, data, args);
}

function serveWith(t: TestContext, more: NodeJS.ProcessEnv, data: string, args: readonly string[]): Process {
  const env = { PATH: process.env['PATH'], ...more };
  const child = spawn(launcher, ['serve', '--data', data, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = once(child, 'exit') as Promise<[number | null, string | null]>;
  t.after(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  async function line(having: string): Promise<Line> {
    for (;;) {
      const next = await lines.next();
      if (next.done === true) throw new Error(`sampan ended without a word of ${having}`);
      const parsed = JSON.parse(next.value) as Line;
      if ((parsed['msg'] as string).includes(having)) return parsed;
    }
  }
  return { child, line, stderr: text(child.stderr), exit };
}

async function listen(t: TestContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`it says where it listens and how docker uses it, answers there, and stops at ${signal} with 0`, async (t) => {
    const { child, line, exit, stderr } = serve(t, await temporaryDirectory(t), '--listen', '127.0.0.1:0');
    const { msg, address } = await line('listens on');
    assert.match(String(address), /^127\.0\.0\.1:[1-9]\d*$/);
    assert.ok(
      String(msg).endsWith(`"registry-mirrors": ["http://${String(address)}"] into /etc/docker/daemon.json`),
      String(msg),
    );
    assert.equal((await fetch(`http://${String(address)}/healthz`)).status, 200);
    // The launcher has become sampan: the signal reaches it.
    child.kill(signal);
    await line('stopped');
    assert.deepEqual(await exit, [0, null]);
    assert.equal(await stderr, '');
  });
}

test(
  'a log that cannot be written costs the log: it serves, and stops when told to',
  { skip: noFullDevice },
  async (t) => {
    const directory = await temporaryDirectory(t);
    const address = `127.0.0.1:${await freePort('127.0.0.1')}`;
    const full = await open('/dev/full', 'w');
    t.after(() => full.close());
    const args = ['serve', '--data', directory, '--listen', address, '--log-level', 'debug'];
    const child = spawn(launcher, args, { env: { PATH: process.env['PATH'] }, stdio: ['ignore', full.fd, 'ignore'] });
    const exit = once(child, 'exit');
    const late = globalThis.setTimeout(() => child.kill('SIGKILL'), 20_000);
    t.after(() => {
      clearTimeout(late);
      child.kill('SIGKILL');
    });
    const answer = async () => (await fetch(`http://${address}/healthz`)).status;
    const ended = exit.then(() => true);
    while ((await answer().catch(() => 0)) !== 200) {
      assert.equal(await Promise.race([ended, setTimeout(20, false)]), false, 'it ended');
    }
    child.kill('SIGTERM');
    assert.deepEqual(await exit, [0, null]);
  },
);

test('what nobody catches ends it with 1, in the log and at Sentry', async (t) => {
  const sentry = await startSentry();
  t.after(() => sentry.close());
  const crash = encodeURIComponent("process.once('SIGUSR2', () => { throw new TypeError('a bug of the test'); })");
  const more = { NODE_OPTIONS: `--import=data:text/javascript,${crash}`, SAMPAN_SENTRY_DSN: sentry.dsn };
  const { child, line, exit } = serveWith(t, more, await temporaryDirectory(t), ['--listen', '127.0.0.1:0']);
  await line('listens on');
  child.kill('SIGUSR2');
  await line('bug: a bug of the test');
  assert.deepEqual(await exit, [1, null]);
  assert.deepEqual(
    sentry.events.map(({ exception: { values } }) => [values[0]?.value, values[0]?.mechanism.handled]),
    [['a bug of the test', false]],
  );
});

test('a second signal stops it at once, whatever still runs', async (t) => {
  const asked = Promise.withResolvers<void>();
  const upstream = await listen(
    t,
    createServer(() => asked.resolve()),
  );
  const directory = await temporaryDirectory(t);
  const config = join(directory, 'sampan.yaml');
  await writeFile(config, `registries: { lab.example: { endpoints: ["http://${upstream}"] } }\nstop_within: 1h\n`);
  const { child, line, exit } = serve(t, join(directory, 'data'), '--config', config, '--listen', '127.0.0.1:0');
  const { address } = await line('listens on');
  const pull = fetch(`http://${String(address)}/v2/lab.example/image/manifests/latest`);
  await Promise.all([asked.promise, assert.rejects(pull), stopTwice()]);
  assert.deepEqual(await exit, [143, null]);

  async function stopTwice(): Promise<void> {
    await asked.promise;
    child.kill('SIGTERM');
    await line('stopping');
    // One that comes at once is taken for the first, told twice.
    const insisting = setInterval(() => child.kill('SIGTERM'), 50);
    await exit.finally(() => clearInterval(insisting));
  }
});

test('a signal that is told twice, as by a terminal and by npm, is one', async (t) => {
  const { child, line, exit } = serve(t, await temporaryDirectory(t), '--listen', '127.0.0.1:0');
  await line('listens on');
  child.kill('SIGINT');
  child.kill('SIGINT');
  child.kill('SIGTERM');
  assert.deepEqual(await exit, [0, null]);
});

test('who stops it as soon as it says where it listens is heard', async (t) => {
  // Its first line goes out together with the signal.
  const eager = `import fs from 'node:fs';
    const { write } = fs;
    fs.write = (...args) => { fs.write = write; process.kill(process.pid, 'SIGTERM'); write(...args); };`;
  const more = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(eager)}` };
  const { line, exit } = serveWith(t, more, await temporaryDirectory(t), ['--listen', '127.0.0.1:0']);
  await line('stopped');
  assert.deepEqual(await exit, [0, null]);
});

test('an address that is taken is told in one sentence', async (t) => {
  const taken = await listen(t, createServer());
  const { exit, stderr } = serve(t, await temporaryDirectory(t), '--listen', taken);
  assert.deepEqual(await exit, [1, null]);
  assert.equal(
    await stderr,
    `sampan: cannot listen on ${taken}: address already in use; stop what listens there, or choose another place with --listen\n`,
  );
});

test('a data directory that cannot be one is told in one sentence', async (t) => {
  const file = join(await temporaryDirectory(t), 'file');
  await writeFile(file, '');
  const { exit, stderr } = serve(t, join(file, 'data'), '--listen', '127.0.0.1:0');
  assert.deepEqual(await exit, [1, null]);
  assert.match(await stderr, /^sampan: cannot use the data directory .*\/file\/data: not a directory[^\n]*\n$/);
});

test('a second process with the same data directory is told in one sentence', async (t) => {
  const data = await temporaryDirectory(t);
  await serve(t, data, '--listen', '127.0.0.1:0').line('listens on');
  const { exit, stderr } = serve(t, data, '--listen', '127.0.0.1:0');
  assert.deepEqual(await exit, [1, null]);
  assert.match(await stderr, /^sampan: cannot start: .* is in use by another sampan process[^\n]*\n$/);
});

test('a pin is told at the start', async (t) => {
  const directory = await temporaryDirectory(t);
  const config = join(directory, 'sampan.yaml');
  await writeFile(config, 'resolve: { registry-1.docker.io: "203.0.113.7:443" }');
  const { line } = serve(t, directory, '--config', config, '--listen', '127.0.0.1:0');
  await line('registry-1.docker.io is dialled at 203.0.113.7:443');
});

test('what is to be intercepted is told at the start', async (t) => {
  const directory = await temporaryDirectory(t);
  const config = join(directory, 'sampan.yaml');
  await writeFile(config, 'proxy: { listen: "127.0.0.1:0", intercept: [ghcr.io] }');
  const { line } = serve(t, directory, '--config', config, '--listen', '127.0.0.1:0');
  await line('to be intercepted: ghcr.io; clients have to trust');
});

test('a resolver and a proxy are told at the start, the proxy without its login', async (t) => {
  const directory = await temporaryDirectory(t);
  const config = join(directory, 'sampan.yaml');
  await writeFile(config, 'dns: https://dns.example/dns-query');
  const dns = serve(t, join(directory, 'dns'), '--config', config, '--listen', '127.0.0.1:0');
  await dns.line('names are looked up by dns.example');
  await writeFile(config, 'via: http://me:swordfish@proxy.lan:3128');
  const via = serve(t, join(directory, 'via'), '--config', config, '--listen', '127.0.0.1:0');
  assert.ok(
    !JSON.stringify(await via.line('everything is dialled through http://proxy.lan:3128')).includes('swordfish'),
  );
});

test('a data directory that cannot be had is told with its path and the reason', async (t) => {
  const file = join(await temporaryDirectory(t), 'file');
  await writeFile(file, '');
  const cases: Record<string, string> = { [file]: 'not a directory' };
  // Below /proc nothing can be made, whoever tries.
  if (process.platform === 'linux') cases['/proc/sampan/data'] = 'no such file or directory';
  for (const [data, reason] of Object.entries(cases)) {
    const { exit, stderr } = serve(t, data, '--listen', '127.0.0.1:0');
    assert.deepEqual(await exit, [1, null]);
    assert.match(await stderr, new RegExp(`^sampan: cannot use the data directory ${data}: ${reason}[^\\n]*\\n$`));
  }
});
