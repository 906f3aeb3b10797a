// What a service would be, from flags and configuration; what would have to be done; and what cannot be.
import assert from 'node:assert/strict';
import { chmod, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { usualPlaces } from '../../../src/node/service/facts.ts';
import { gather, Unfit } from '../../../src/node/service/gather.ts';
import { stepsToInstall } from '../../../src/node/service/install.ts';

/** Of somebody whom there is on no machine. */
const user = 'sampan-nobody-has';

async function prepare(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-gather-'));
  await chmod(directory, 0o755);
  t.after(() => rm(directory, { recursive: true }));
  const config = join(directory, 'sampan.yaml');
  const places = { ...usualPlaces, environment: join(directory, 'environment'), systemd: directory };
  const written = async (text: string) => writeFile(config, text, { mode: 0o644 });
  const asked = (wishes: { data?: string; user?: string } = {}, kind: 'systemd' | 'init' = 'systemd') =>
    gather('/bin/sh', { config, user, ...wishes }, kind, places);
  return { directory, config, places, written, asked };
}

test('data lie where the flag says, else the file, else where services keep theirs', async (t) => {
  const { directory, written, asked } = await prepare(t);
  await written('data: layers');
  assert.equal((await asked({ data: '/srv/layers' })).data, '/srv/layers');
  assert.equal((await asked()).data, join(directory, 'layers'));
  await written('stop_within: 7s');
  const facts = await asked({ data: '/srv/none' });
  assert.deepEqual([facts.stopWithin, facts.privileged, facts.atHome], [7000, false, false]);
  assert.equal((await asked({ data: '/home/somebody/layers' })).atHome, true);
});

test('the variables of the service count, not those of this shell', async (t) => {
  const { places, written, asked } = await prepare(t);
  await written('data: layers');
  await writeFile(places.environment, 'SAMPAN_LISTEN=127.0.0.1:443\n');
  assert.equal((await asked()).privileged, true);
  await assert.rejects(asked({}, 'init'), Unfit);
});

test('what nobody but root can read is opened to the user, and that is shown', async (t) => {
  const { config, places, written, asked } = await prepare(t);
  await written('data: layers');
  const facts = await asked();
  const says = async () => (await stepsToInstall('systemd', facts, places)).map((step) => step.says);
  assert.deepEqual(await says(), [
    `useradd --system --user-group --no-create-home --home-dir ${facts.data} --shell /usr/sbin/nologin ${user}`,
    `install -d -o ${user} -g ${user} -m 0700 ${facts.data}`,
    'write /etc/systemd/system/sampan.service',
    'systemctl daemon-reload',
    'systemctl enable sampan.service',
    'systemctl restart sampan.service',
  ]);
  await chmod(config, 0o600);
  assert.deepEqual((await says()).slice(2, 4), [`chgrp ${user} ${config}`, `chmod g+r ${config}`]);
});

test('a link to where people have their homes is seen through', async (t) => {
  const { directory, config, places, written } = await prepare(t);
  await written('data: layers');
  const link = join(directory, 'link.yaml');
  await symlink(config, link);
  // The directory for temporary files, for once, is where people have their homes.
  const asked = (home: string) =>
    gather('/bin/sh', { config: link, data: '/srv/none', user }, 'systemd', places, [home]);
  const elsewhere = await mkdtemp(join(tmpdir(), 'sampan-home-'));
  await chmod(elsewhere, 0o755);
  t.after(() => rm(elsewhere, { recursive: true }));
  assert.equal((await asked(`${elsewhere}/`)).atHome, false);
  await rename(config, join(elsewhere, 'sampan.yaml'));
  await rm(link);
  await symlink(join(elsewhere, 'sampan.yaml'), link);
  assert.equal((await asked(`${elsewhere}/`)).atHome, true);
  await chmod(join(elsewhere, 'sampan.yaml'), 0o600);
  const facts = await asked('/home/');
  const says = (await stepsToInstall('systemd', facts, places)).map((step) => step.says);
  assert.ok(says.includes(`chgrp ${user} ${link}`), says.join('\n'));
});

test('what cannot be is said', async (t) => {
  const { directory, written, asked } = await prepare(t);
  await written('data: layers');
  await assert.rejects(asked({ data: directory }), /belongs to somebody else; first: useradd .* && chown -R/);
  await assert.rejects(asked({ user: '-rf' }), /no name for a user/);
  await assert.rejects(asked({ data: '/srv/a\nb' }), /control characters/);
  await chmod(directory, 0o700);
  await assert.rejects(asked(), new RegExp(`does not get to .*: ${directory} is closed to others`));
});
