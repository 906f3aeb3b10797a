// Written and taken back: whatever was there is there again, byte for byte, with its mode; what others did meanwhile is seen.
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { planDocker } from '../../../src/core/clients/docker.ts';
import { type Plan, Refusal } from '../../../src/core/clients/plan.ts';
import { BackupFile } from '../../../src/node/clients/backup.ts';
import { carryOut, changesBack, changesFor, original, originals, undo } from '../../../src/node/clients/change.ts';
import { Disk } from '../../../src/node/clients/disk.ts';
import { daemonJsons } from '../../core/clients/daemon-json.ts';
import { byMirror, machine } from '../../core/clients/machines.ts';

const daemon = '/etc/docker/daemon.json';

/** A machine that lies below a directory. */
class Below {
  readonly disk: Disk;
  readonly backup: BackupFile;

  constructor(root: string) {
    this.disk = new Disk(root);
    this.backup = new BackupFile(this.disk, 'docker', undefined);
  }

  at(path: string): string {
    return join(this.disk.root, path);
  }

  text(path: string): string {
    return readFileSync(this.at(path), 'utf8');
  }

  has(path: string, text: string): void {
    mkdirSync(dirname(this.at(path)), { recursive: true });
    writeFileSync(this.at(path), text);
  }

  run(...files: Plan['files']) {
    const changes = changesFor({ files, commands: [], notes: [] }, this.disk, this.backup.read());
    carryOut(changes, [], this.disk, this.backup);
    return changes;
  }

  undo(): void {
    const backup = this.backup.read() ?? assert.fail('there is no backup');
    undo(changesBack(backup, this.disk).changes, backup, this.disk, this.backup);
  }
}

async function below(t: TestContext): Promise<Below> {
  const root = await mkdtemp(join(tmpdir(), 'sampan-clients-'));
  t.after(() => rm(root, { recursive: true }));
  return new Below(root);
}

test('whatever daemon.json there was is there again, byte for byte', async (t) => {
  const there = await below(t);
  fc.assert(
    fc.property(daemonJsons, (text) => {
      there.has(daemon, text);
      const { files } = planDocker(byMirror(), machine({ version: '20.10.24', files: { [daemon]: text } }));
      there.run(...files);
      assert.equal(there.text(daemon), files[0]?.text);
      there.undo();
      assert.equal(there.text(daemon), text);
    }),
    { seed: 20_261_120, numRuns: 60 },
  );
});

test('what was not there goes, with the folders that were made for it and nothing else', async (t) => {
  const there = await below(t);
  there.has('/etc/mine', 'x');
  const secret = 'http://me:pass@proxy';
  const hosts = '/etc/docker/certs.d/a/hosts.toml';
  there.run(
    { path: hosts, text: 'a' },
    { path: daemon, text: secret },
    { path: '/etc/all', text: secret, forAll: true },
  );
  const modes = [hosts, daemon, '/etc/all'].map((path) => statSync(there.at(path)).mode & 0o777);
  assert.deepEqual(modes, [0o644, 0o600, 0o644]);
  there.has('/etc/docker/certs.d/theirs', 'x');
  there.undo();
  assert.deepEqual(there.disk.list('/etc'), ['docker', 'mine']);
  assert.deepEqual(there.disk.list('/etc/docker/certs.d'), ['theirs']);
  assert.equal(there.backup.read(), undefined);
});

test('mode and owner stay, through writing and undoing', async (t) => {
  const there = await below(t);
  there.has(daemon, '{}');
  chmodSync(there.at(daemon), 0o640);
  const { uid, gid } = statSync(there.at(daemon));
  const same = () => {
    const now = statSync(there.at(daemon));
    assert.deepEqual([now.mode & 0o777, now.uid, now.gid], [0o640, uid, gid]);
  };
  there.run({ path: daemon, text: '{"a":1}' });
  same();
  there.undo();
  same();
});

test('a file that was closed since stays closed in the next run; undoing gives it the mode that it had', async (t) => {
  const there = await below(t);
  const mode = (path: string) => statSync(there.at(path)).mode & 0o777;
  there.has(daemon, '{}');
  chmodSync(there.at(daemon), 0o644);
  there.run({ path: daemon, text: 'first' }, { path: '/etc/ours', text: 'x' });
  chmodSync(there.at(daemon), 0o600);
  there.run({ path: daemon, text: 'http://me:pass@proxy' }, { path: '/etc/ours', text: 'http://me:pass@proxy' });
  assert.deepEqual([mode(daemon), mode('/etc/ours')], [0o600, 0o600]);
  there.undo();
  assert.equal(mode(daemon), 0o644);
});

test('a second run takes the place of the first, and undoing brings back what was before both', async (t) => {
  const there = await below(t);
  there.has(daemon, 'before');
  there.run({ path: daemon, text: 'first' }, { path: '/etc/other', text: 'x' });
  assert.equal(original(daemon, there.disk, there.backup.read()), 'before');
  there.run({ path: daemon, text: 'second' });
  assert.equal(existsSync(there.at('/etc/other')), false);
  assert.deepEqual(there.run({ path: daemon, text: 'second' }), []);
  there.undo();
  assert.equal(there.text(daemon), 'before');
});

test('a second run does not see what the first has put into a folder', async (t) => {
  const there = await below(t);
  there.has('/etc/certs/theirs.crt', 'x');
  there.run({ path: '/etc/certs/ours.crt', text: 'x' });
  assert.deepEqual(originals('/etc/certs', there.disk, there.backup.read()), ['theirs.crt']);
});

test('a second run that breaks off before its file is written keeps what was before the first', async (t) => {
  const there = await below(t);
  there.has(daemon, 'before');
  there.run({ path: daemon, text: 'first' });
  const unwritable = { path: '/etc/docker/daemon.json/under-a-file', text: 'cannot be' };
  assert.throws(() => there.run(unwritable, { path: daemon, text: 'second' }));
  assert.equal(there.text(daemon), 'first');
  assert.equal(original(daemon, there.disk, there.backup.read()), 'before');
  there.run({ path: daemon, text: 'second' });
  there.undo();
  assert.equal(there.text(daemon), 'before');
});

test('what others changed since is what the next run starts from, and is told; undoing goes back before the first', async (t) => {
  const there = await below(t);
  there.has(daemon, 'before');
  there.run({ path: daemon, text: 'ours' });
  there.has(daemon, 'theirs');
  const { foreign } = changesBack(there.backup.read() ?? assert.fail(), there.disk);
  assert.deepEqual(foreign, [{ path: daemon, now: 'ours', wanted: 'theirs', secret: false }]);
  assert.equal(original(daemon, there.disk, there.backup.read()), 'theirs');
  there.run({ path: daemon, text: 'ours again' });
  there.undo();
  assert.equal(there.text(daemon), 'before');
});

test('however much was written, it can be read again, and undone', async (t) => {
  const there = await below(t);
  const files = ['/etc/a.crt', '/etc/b.crt'].map((path) => ({ path, text: 'x'.repeat(700_000) }));
  there.run(...files);
  assert.deepEqual(there.run(...files), []);
  there.undo();
  assert.deepEqual(there.disk.list('/etc'), []);
});

test('a file that changes between showing and writing is not written, nor is any other', async (t) => {
  const there = await below(t);
  const files = ['/etc/other', daemon].map((path) => ({ path, text: 'ours' }));
  const changes = changesFor({ files, commands: [], notes: [] }, there.disk, undefined);
  there.has(daemon, 'theirs');
  assert.throws(() => carryOut(changes, [], there.disk, there.backup), Refusal);
  assert.equal(existsSync(there.at('/etc/other')), false);
});

test('what breaks off in the middle can be undone', async (t) => {
  const there = await below(t);
  there.has('/etc/a', 'a');
  assert.throws(() => there.run({ path: '/etc/a', text: 'ours' }, { path: '/etc/a/under-a-file', text: 'cannot be' }));
  assert.equal(there.text('/etc/a'), 'ours');
  there.undo();
  assert.equal(there.text('/etc/a'), 'a');
});

test('a link stays a link; one that leads nowhere or out of the root is refused', async (t) => {
  const there = await below(t);
  there.has('/etc/real.json', 'before');
  symlinkSync('real.json', there.at('/etc/link.json'));
  there.run({ path: '/etc/link.json', text: 'ours' });
  assert.ok(lstatSync(there.at('/etc/link.json')).isSymbolicLink());
  assert.equal(there.text('/etc/real.json'), 'ours');
  symlinkSync('../not-mounted/f', there.at('/etc/nowhere.json'));
  assert.throws(() => there.run({ path: '/etc/nowhere.json', text: 'x' }), /is a link to what is not there/);
  assert.ok(lstatSync(there.at('/etc/nowhere.json')).isSymbolicLink());
  const elsewhere = await below(t);
  symlinkSync(elsewhere.disk.root, there.at('/out'));
  assert.throws(() => there.run({ path: '/out/f', text: 'x' }), /leads out of/);
  assert.deepEqual(elsewhere.disk.list('/'), []);
});
