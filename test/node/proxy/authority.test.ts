// The authority: made once, for whom it is good, and what becomes of it when it is renewed. openssl is asked what it thinks.
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { type Authority, covers, openAuthority, renewAuthority } from '../../../src/node/proxy/authority.ts';
import { issueLeaf, makeKey } from '../../../src/node/proxy/certificates.ts';
import { Leaves } from '../../../src/node/proxy/leaves.ts';
import { need } from '../../lab/need.ts';
import { run } from '../../lab/process.ts';

const data = await mkdtemp(join(tmpdir(), 'sampan-authority-'));
after(() => rm(data, { recursive: true }));
const now = Date.now();
const [hour, day] = [3_600_000, 86_400_000];

async function fresh(hosts: readonly string[] = ['registry-1.docker.io', '*.gcr.io']): Promise<Authority> {
  return openAuthority(await mkdtemp(join(data, 'of-')), hosts, now);
}

describe('the authority', () => {
  it('is made once, however many ask, and its key is for its owner alone', async () => {
    const own = await mkdtemp(join(data, 'once-'));
    const all = await Promise.all(Array.from({ length: 5 }, () => openAuthority(own, ['ghcr.io'], now)));
    assert.equal(new Set(all.map(({ fingerprint }) => fingerprint)).size, 1);
    assert.deepEqual(await readdir(own), ['authority']);
    const { directory, from, until } = await openAuthority(own, ['other.example'], now);
    const modes = [directory, join(directory, 'key.pem')].map(async (path) =>
      ((await stat(path)).mode & 0o777).toString(8),
    );
    assert.deepEqual(await Promise.all(modes), ['700', '600']);
    assert.ok(from <= now && until > now + 3649 * day);
  });

  it('is good for its hosts and what is below, and stays so whatever is configured later', async () => {
    const own = await mkdtemp(join(data, 'for-'));
    await openAuthority(own, ['ghcr.io', '*.gcr.io'], now);
    const { domains } = await openAuthority(own, ['quay.io'], now);
    assert.deepEqual(domains, ['ghcr.io', 'gcr.io']);
    const names = ['ghcr.io', 'a.ghcr.io', 'eu.gcr.io', 'notghcr.io', 'ghcr.io.example', 'quay.io'];
    assert.deepEqual(
      names.filter((name) => covers(domains, name)),
      ['ghcr.io', 'a.ghcr.io', 'eu.gcr.io'],
    );
  });

  it('is not made for nothing, which would be no constraint', async () => {
    await assert.rejects(fresh([]), /for the hosts of some registry/);
  });

  it('is not used while others may read its key', async () => {
    const { directory } = await fresh();
    await chmod(join(directory, 'key.pem'), 0o640);
    await assert.rejects(openAuthority(join(directory, '..'), [], now), /others may read/);
  });

  it('makes place for a new one, and is kept', async () => {
    const before = await fresh(['ghcr.io']);
    const { authority, former = '' } = await renewAuthority(join(before.directory, '..'), ['quay.io'], now);
    assert.deepEqual(authority.domains, ['quay.io']);
    assert.equal(await readFile(join(former, 'certificate.pem'), 'utf8'), before.certificate);
    assert.notEqual(authority.certificate, before.certificate);
  });
});

describe('openssl', { skip: need('openssl') }, () => {
  async function verify({ directory, ...authority }: Authority, host: string): Promise<string> {
    const leaf = issueLeaf({ ...authority }, { host, key: makeKey(), from: now - hour, until: now + day });
    const file = join(directory, 'leaf.pem');
    await writeFile(file, leaf);
    const ca = ['-CAfile', join(directory, 'certificate.pem')];
    const args = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', host, ...ca, file];
    return run('openssl', args, { directory }).catch((error: Error) => error.message);
  }

  it('takes a leaf for a host that the authority is good for', async () => {
    for (const host of ['registry-1.docker.io', 'eu.gcr.io']) assert.match(await verify(await fresh(), host), /: OK/);
  });

  it('takes none, minted with the same key, for any other', async () => {
    for (const host of ['example.com', 'docker.io', 'notgcr.io', 'registry-1.docker.io.example.com']) {
      assert.match(await verify(await fresh(), host), /permitted subtree violation/);
    }
  });
});

describe('leaves', () => {
  it('are minted once for each host, and anew after two thirds of their time', async () => {
    let time = now;
    const leaves = new Leaves(await fresh(), () => time);
    const first = leaves.contextFor('eu.gcr.io');
    time += 20 * day - 1;
    assert.equal(leaves.contextFor('eu.gcr.io'), first);
    assert.notEqual(leaves.contextFor('us.gcr.io'), first);
    time += 1;
    assert.notEqual(leaves.contextFor('eu.gcr.io'), first);
  });
});
