// The systemd unit: systemd takes it, finds it closed, and reads in it what was meant.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseFactLines, type ServiceFacts, usualPlaces } from '../../../src/node/service/facts.ts';
import { unitText } from '../../../src/node/service/unit.ts';
import { need } from '../../lab/need.ts';

const skip = need('systemd-analyze');
const usual: ServiceFacts = {
  program: fileURLToPath(new URL('../../../bin/sampan', import.meta.url)),
  config: '/etc/sampan.yaml',
  data: '/var/lib/sampan',
  user: 'sampan',
  privileged: false,
  atHome: false,
  stopWithin: 30_000,
};

async function analyze(t: TestContext, verb: readonly string[], change: Partial<ServiceFacts> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-unit-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, 'sampan.service');
  await writeFile(path, unitText({ ...usual, ...change }, usualPlaces));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', [...verb, path], { encoding: 'utf8' });
  return { code: status, says: stdout + stderr };
}

test('systemd takes it without a word, also with odd paths', { skip }, async (t) => {
  const odd = { config: '/etc/a b/100% "q" $HOME.yaml', data: '/srv/lay ers', privileged: true, atHome: true };
  for (const change of [{}, odd]) assert.deepEqual(await analyze(t, ['verify'], change), { code: 0, says: '' });
});

test('systemd finds no more exposed than a mirror must be', { skip }, async (t) => {
  const { says } = await analyze(t, ['security', '--offline=true', '--no-pager']);
  const [, exposure] = /Overall exposure level for sampan\.service: ([\d.]+)/.exec(says) ?? [];
  assert.ok(Number(exposure) <= 1.6, says);
});

test('only the data may be written to, and rights are given only where a port needs one', () => {
  const text = unitText(usual, usualPlaces);
  assert.match(text, /^StateDirectory=sampan$/m);
  assert.match(text, /^CapabilityBoundingSet=$/m);
  assert.match(text, /^ProtectHome=yes$/m);
  assert.match(text, /^TimeoutStopSec=40$/m);
  const other = unitText({ ...usual, data: '/srv/lay ers', privileged: true, atHome: true }, usualPlaces);
  assert.match(other, /^ReadWritePaths="\/srv\/lay ers"$/m);
  assert.match(other, /^AmbientCapabilities=CAP_NET_BIND_SERVICE$/m);
  assert.match(other, /^ProtectHome=read-only$/m);
});

test('a word is one word, whatever is in it', () => {
  const text = unitText({ ...usual, config: '/a b/100% "q" $HOME.yaml' }, usualPlaces);
  assert.ok(text.includes(String.raw`--config "/a b/100%% \"q\" $$HOME.yaml" --data /var/lib/sampan`), text);
});

test('a dollar is doubled for the arguments alone: nowhere else does systemd put variables in', () => {
  const text = unitText({ ...usual, program: '/opt/$a/sampan', data: '/var/lib/a$b' }, usualPlaces);
  assert.match(text, /^StateDirectory=a\$b$/m);
  assert.match(text, /^ExecStart=\/opt\/\$a\/sampan serve .* --data \/var\/lib\/a\$\$b$/m);
  assert.match(unitText({ ...usual, data: '/srv/a$b' }, usualPlaces), /^ReadWritePaths=\/srv\/a\$b$/m);
});

test('what was written tells later what runs', () => {
  const { config, data, user } = usual;
  assert.deepEqual(parseFactLines(unitText(usual, usualPlaces)), { config, data, user });
  assert.equal(parseFactLines(unitText({ ...usual, config: undefined }, usualPlaces))?.config, undefined);
  assert.equal(parseFactLines('[Unit]\n'), undefined);
});
