// Installing a service over what is there already: what sampan wrote is replaced as a whole, what somebody else wrote is not touched.
import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { ServiceFacts } from '../../../src/node/service/facts.ts';
import { Unfit } from '../../../src/node/service/gather.ts';
import { stepsToInstall, stepsToUninstall, textFor, wordsToForget } from '../../../src/node/service/install.ts';
import { findUser } from '../../../src/node/service/machine.ts';
import { need } from '../../lab/need.ts';

const nobody = await findUser('nobody');

async function prepare(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-install-'));
  t.after(() => rm(directory, { recursive: true }));
  const at = (name: string) => join(directory, name);
  const places = {
    unit: at('unit'),
    script: at('script'),
    environment: at('environment'),
    pidFile: at('pid'),
    log: at('log'),
    systemd: at('systemd'),
  };
  const facts: ServiceFacts = {
    program: '/opt/sampan/bin/sampan',
    config: undefined,
    data: directory,
    user: 'nobody',
    privileged: false,
    atHome: false,
    stopWithin: 1000,
  };
  const written = (kind: 'systemd' | 'init', path: string) => writeFile(path, textFor(kind, facts, places));
  const says = async (kind: 'systemd' | 'init') =>
    (await stepsToInstall(kind, facts, places)).map((step) => step.says).filter((each) => !each.includes('rc'));
  return { directory, places, facts, written, says };
}

test("somebody else's unit or script is not overwritten, nor what a link leads to", async (t) => {
  const { places, facts, directory } = await prepare(t);
  await writeFile(places.unit, '[Unit]\nDescription=my own\n');
  await symlink(join(directory, 'nowhere'), places.script);
  for (const kind of ['systemd', 'init'] as const) {
    await assert.rejects(stepsToInstall(kind, facts, places), Unfit, kind);
  }
  await rm(places.script);
  await writeFile(join(directory, 'elsewhere'), textFor('init', facts, places));
  await symlink(join(directory, 'elsewhere'), places.script);
  await assert.rejects(stepsToInstall('init', facts, places), Unfit);
});

test('what sampan wrote is replaced as a whole, with the rights that it should have', async (t) => {
  const { places, facts, directory } = await prepare(t);
  const old = textFor('init', { ...facts, data: '/srv/former' }, places);
  await writeFile(places.script, old);
  await chmod(places.script, 0o600);
  const before = await stat(places.script);
  const steps = await stepsToInstall('init', facts, places);
  const writing = steps.find(({ says }) => says === `replace ${places.script}`);
  assert.ok(writing, steps.map(({ says }) => says).join('\n'));
  await writing.take();
  const after = await stat(places.script);
  assert.deepEqual(
    [after.mode & 0o777, await readFile(places.script, 'utf8')],
    [0o755, textFor('init', facts, places)],
  );
  assert.notEqual(after.ino, before.ino);
  assert.deepEqual(await readdir(directory), ['script']);
});

test('what ran before is stopped by what had started it, before that is replaced', async (t) => {
  const { places, written, says } = await prepare(t);
  const { script, unit, pidFile } = places;
  await mkdir(places.systemd);
  await written('init', script);
  assert.deepEqual(await says('init'), [`${script} stop`, `replace ${script}`, `${script} restart`]);
  const started = ['daemon-reload', 'enable sampan.service', 'restart sampan.service'];
  assert.deepEqual(await says('systemd'), [
    `${script} stop`,
    `rm -f ${script}`,
    `rm -f ${pidFile}`,
    `write ${unit}`,
    ...started.map((verb) => `systemctl ${verb}`),
  ]);
  await rm(script);
  await written('systemd', unit);
  assert.deepEqual(await says('init'), [
    'systemctl disable --now sampan.service',
    `rm -f ${unit}`,
    'systemctl daemon-reload',
    `write ${script}`,
    `${script} restart`,
  ]);
});

test('a user keeps the group that he has, whatever it is called', { skip: nobody === undefined }, async (t) => {
  const { places, facts, directory } = await prepare(t);
  const data = join(directory, 'it is');
  const steps = await stepsToInstall('init', { ...facts, data }, places);
  const making = steps.find(({ says }) => says.startsWith('install -d '));
  assert.equal(making?.says, `install -d -o nobody -g ${nobody?.gid} -m 0700 '${data}'`);
});

test('only a user who was made for the service is one to take away', { skip: nobody === undefined }, async (t) => {
  const { places, facts } = await prepare(t);
  const remembered = { ...facts, kind: 'init', path: places.script } as const;
  assert.equal(await wordsToForget({ ...remembered, data: "/srv/it's" }), String.raw`rm -r '/srv/it'\''s'`);
  const data = nobody?.home ?? '';
  assert.equal(await wordsToForget({ ...remembered, data }), `rm -r ${data} && userdel nobody`);
});

test('where systemd does not run, nothing is asked of it', { skip: need('systemctl') }, async (t) => {
  const { places, says } = await prepare(t);
  assert.deepEqual(await says('systemd'), [`write ${places.unit}`, 'systemctl enable sampan.service']);
  const away = (await stepsToUninstall('systemd', places)).map((step) => step.says);
  assert.deepEqual(away, ['systemctl disable sampan.service', `rm -f ${places.unit}`]);
});
