// The system's store of trusted authorities, on roots of the test's own.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { TrustStore } from '../../../src/node/proxy/trust-store.ts';

const base = await mkdtemp(join(tmpdir(), 'sampan-trust-'));
after(() => rm(base, { recursive: true }));

async function rootWith(...directories: readonly string[]): Promise<string> {
  const root = await mkdtemp(join(base, 'root-'));
  for (const directory of directories) await mkdir(join(root, directory), { recursive: true });
  return root;
}

const systems = [
  ['usr/local/share/ca-certificates', 'update-ca-certificates', 'update-ca-certificates --fresh'],
  ['etc/pki/ca-trust/source/anchors', 'update-ca-trust', 'update-ca-trust'],
  ['etc/pki/trust/anchors', 'update-ca-certificates', 'update-ca-certificates'],
  ['etc/ca-certificates/trust-source/anchors', 'update-ca-trust', 'update-ca-trust'],
] as const;

for (const [directory, added, removed] of systems) {
  it(`an authority is trusted by a file in ${directory}, and no longer when that is gone`, async () => {
    const root = await rootWith(directory);
    const store = TrustStore.find(root) ?? assert.fail();
    const file = store.file('AB:CD:EF:01:23:45:67:89:00:00');
    assert.equal(file, join(root, directory, 'sampan-abcdef0123456789.crt'));
    assert.equal(store.add(file, 'a certificate'), added);
    assert.equal(await readFile(file, 'utf8'), 'a certificate');
    assert.deepEqual(store.files(), [file]);
    assert.equal(store.remove(store.files()), removed);
    assert.deepEqual(await readdir(join(root, directory)), []);
  });
}

it('a system that keeps its authorities elsewhere is not guessed at', async () => {
  assert.equal(TrustStore.find(await rootWith('etc/ssl')), undefined);
});

it('nothing is left of an authority where the command is missing, which is said', async () => {
  const root = await rootWith('usr/local/share/ca-certificates');
  const store =
    TrustStore.find(root, () => {
      throw Object.assign(new Error(), { code: 'ENOENT' });
    }) ?? assert.fail();
  const add = () => store.add(store.file('AB:CD:EF:01:23:45:67:89:00:00'), 'a certificate');
  assert.throws(add, /^Error: update-ca-certificates is not installed/);
  assert.deepEqual(store.files(), []);
});
