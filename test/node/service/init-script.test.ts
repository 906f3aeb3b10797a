// The init script's verbs, run as root with the real start-stop-daemon and a real sampan, in a directory of the test's own.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Places, ServiceFacts } from '../../../src/node/service/facts.ts';
import { initScriptText } from '../../../src/node/service/init-script.ts';
import { closedTo, findUser } from '../../../src/node/service/machine.ts';
import { findAilment } from '../../../src/node/service/status.ts';
import { need, path } from '../../lab/need.ts';
import { freePort } from '../../lab/process.ts';

const program = fileURLToPath(new URL('../../../bin/sampan', import.meta.url));
const nobody = (await findUser('nobody')) ?? { uid: 65_534, gid: 65_534, home: '/nonexistent' };

async function whyNot(): Promise<string | false> {
  const missing = need('start-stop-daemon');
  if (missing !== false) return missing;
  const closed = await closedTo(nobody, program);
  return closed === undefined ? false : `${closed} is closed to the user nobody`;
}
const skip = await whyNot();

interface Scene {
  readonly url: string;
  readonly places: Places;
  run(verb: string, as?: number): { readonly code: number | null; readonly says: string };
  configure(more: Readonly<Record<string, unknown>>): Promise<void>;
  pid(): Promise<number>;
  log(): Promise<string>;
}

async function scene(t: TestContext, change: Partial<ServiceFacts> = {}): Promise<Scene> {
  // A space and a quote in the paths: they must not matter.
  const root = await mkdtemp(join(tmpdir(), 'sampan init '));
  await chmod(root, 0o755);
  const at = (name: string) => join(root, name);
  const listen = `127.0.0.1:${await freePort('127.0.0.1')}`;
  const config = at("it's.yaml");
  const configure: Scene['configure'] = (more) =>
    writeFile(config, JSON.stringify({ listen, registries: { 'lab.example': {} }, ...more }));
  const places = {
    unit: at('unit'),
    script: at('script'),
    environment: at('environment'),
    pidFile: at('pid'),
    log: at('log'),
    systemd: at('systemd'),
  };
  const usual = { privileged: false, atHome: false, stopWithin: 1000, user: 'nobody' };
  const facts = { ...usual, program, config, data: at('data'), ...change };
  await configure({});
  await mkdir(facts.data);
  await chown(facts.data, nobody.uid, nobody.gid);
  await writeFile(places.script, initScriptText(facts, places), { mode: 0o755 });
  const run: Scene['run'] = (verb, as = 0) => {
    const options = {
      env: { PATH: path, SECRET_OF_SHELL: 'x', SAMPAN_LISTEN: 'nowhere' },
      encoding: 'utf8',
      uid: as,
      cwd: '/',
    } as const;
    const { status, stdout, stderr } = spawnSync(places.script, verb.split(' '), options);
    return { code: status, says: stdout + stderr };
  };
  t.after(async () => {
    run('stop');
    await rm(root, { recursive: true });
  });
  const pid = async () => Number(await readFile(places.pidFile, 'utf8'));
  return { url: `http://${listen}`, places, run, configure, pid, log: () => readFile(places.log, 'utf8') };
}

test('start, status, restart and stop do what they say, more than once', { skip }, async (t) => {
  const { run, url, pid, places } = await scene(t);
  assert.deepEqual(run('status'), { code: 3, says: 'sampan: does not run\n' });
  assert.deepEqual(run('start'), { code: 0, says: 'sampan: started\n' });
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
  const first = await pid();
  assert.equal((await stat(`/proc/${first}`)).uid, nobody.uid);
  assert.equal(await findAilment(first), undefined);
  assert.deepEqual(run('start'), { code: 0, says: 'sampan: runs already\n' });
  assert.deepEqual(run('status', nobody.uid), { code: 0, says: 'sampan: runs\n' });
  assert.deepEqual(run('restart'), { code: 0, says: 'sampan: stopped\nsampan: started\n' });
  assert.notEqual(await pid(), first);
  assert.deepEqual(run('stop'), { code: 0, says: 'sampan: stopped\n' });
  await assert.rejects(fetch(`${url}/healthz`));
  await assert.rejects(stat(places.pidFile), { code: 'ENOENT' });
  assert.deepEqual(run('stop'), { code: 0, says: 'sampan: stopped\n' });
  assert.equal(run('status').code, 3);
});

test('force-reload reads the configuration anew in the same process, and connections live on', { skip }, async (t) => {
  const { run, url, pid, configure, log } = await scene(t);
  assert.equal(run('force-reload').code, 7);
  assert.equal(run('start').code, 0);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  async function asked(): Promise<number | undefined> {
    const request = http.get(`${url}/v2/`, { agent });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    const port = request.socket?.localPort;
    await buffer(response);
    return port;
  }
  const [before, from] = [await pid(), await asked()];
  assert.ok(from !== undefined);
  await configure({ hosts: { 'lab.test': 'lab.example' } });
  for (const verb of ['force-reload', 'reload']) assert.equal(run(verb).code, 0);
  while (!(await log()).includes('changed hosts')) await setTimeout(5);
  assert.deepEqual([await pid(), await asked()], [before, from]);
});

test('one that was killed is told from one that was stopped, and starts again', { skip }, async (t) => {
  const { run, pid, places } = await scene(t);
  assert.equal(run('start').code, 0);
  process.kill(await pid(), 'SIGKILL');
  while (run('status').code === 0) await setTimeout(20);
  assert.deepEqual(run('status'), { code: 1, says: `sampan: does not run, though ${places.pidFile} is there\n` });
  assert.deepEqual(run('start'), { code: 0, says: 'sampan: started\n' });
});

test('a process that has got the number in the pid file is nobody that it stops', { skip }, async (t) => {
  const { run, places } = await scene(t);
  await writeFile(places.pidFile, `${process.pid}\n`);
  assert.notEqual(run('status').code, 0);
  assert.equal(run('force-reload').code, 7);
  assert.equal(run('stop').code, 0);
});

test('one that is still starting is not ended by a reload', { skip }, async (t) => {
  const { run, places } = await scene(t);
  const child = spawn('sleep', ['1000'], { uid: nobody.uid, stdio: 'ignore' });
  await once(child, 'spawn');
  await writeFile(places.pidFile, `${child.pid}\n`);
  assert.deepEqual(run('reload'), { code: 1, says: 'sampan: is still starting\n' });
  assert.equal(run('status').code, 0);
  child.kill();
  await once(child, 'exit');
});

test('a sampan that runs as somebody else is not taken for stopped', { skip }, async (t) => {
  const { run, pid, places } = await scene(t);
  assert.equal(run('start').code, 0);
  const ours = await readFile(places.script, 'utf8');
  await writeFile(places.script, ours.replace(/^user=.*$/m, 'user=root'));
  const running = await pid();
  for (const verb of ['stop', 'restart']) {
    assert.deepEqual(run(verb), { code: 1, says: `sampan: process ${running} serves, and not as root\n` });
  }
  assert.equal(await pid(), running);
  await writeFile(places.script, ours);
});

test('a start that fails says why', { skip }, async (t) => {
  const { run, configure } = await scene(t);
  await configure({ storag: {} });
  const { code, says } = run('start');
  assert.equal(code, 1);
  assert.match(
    says,
    /storag: found an unknown key; did you mean storage\?\nsampan: did not start; .*\/log says why\n$/,
  );
  assert.equal(run('status').code, 3);
});

test('the exit codes are those of the LSB', { skip }, async (t) => {
  const { run } = await scene(t);
  for (const verb of ['begin', '', 'start now']) assert.equal(run(verb).code, 2, verb);
  assert.equal(run('try-restart').code, 3);
  for (const verb of ['start', 'stop', 'restart', 'force-reload']) assert.equal(run(verb, nobody.uid).code, 4, verb);
  assert.equal((await scene(t, { program: '/nowhere/sampan' })).run('start').code, 5);
  assert.equal((await scene(t, { config: '/nowhere/sampan.yaml' })).run('start').code, 6);
});

test('variables come from their file', { skip }, async (t) => {
  const { run, places, log } = await scene(t);
  await writeFile(
    places.environment,
    '# a comment\nSAMPAN_LOG_LEVEL="debug"\nSAMPAN_HOSTS="{ lab.test: nowhere.test }"\n',
  );
  assert.equal(run('start').code, 1);
  assert.match(await log(), /SAMPAN_HOSTS/);
});

test('nothing of the shell that starts it reaches it but what their file sets', { skip }, async (t) => {
  const { run, places, pid } = await scene(t);
  await writeFile(places.environment, 'SAMPAN_LOG_LEVEL=debug\n');
  assert.deepEqual(run('start'), { code: 0, says: 'sampan: started\n' });
  const variables = (await readFile(`/proc/${await pid()}/environ`, 'utf8')).split('\0');
  const names = variables.map((each) => each.replace(/=.*/s, '')).filter((name) => name !== '');
  // start-stop-daemon may set the home, the launcher sets two for Node, and shells a few for themselves.
  const ofLauncher = ['MALLOC_ARENA_MAX', 'NODE_COMPILE_CACHE'];
  const expected = new Set(['PATH', 'HOME', 'PWD', 'OLDPWD', 'SHLVL', '_', ...ofLauncher, 'SAMPAN_LOG_LEVEL']);
  assert.deepEqual(
    names.filter((name) => !expected.has(name)),
    [],
  );
  assert.ok(names.includes('SAMPAN_LOG_LEVEL'));
});
