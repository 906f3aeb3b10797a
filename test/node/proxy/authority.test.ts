// The authority: made once, for whom it is good, and what becomes of it when it is renewed. openssl is asked what it thinks.
import assert from 'node:assert/strict';
import { chmod, chown, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  type Authority,
  covers,
  findAuthority,
  openAuthority,
  renewAuthority,
} from '../../../src/node/proxy/authority.ts';
import { issueLeaf, issuerOf, makeKey } from '../../../src/node/proxy/certificates.ts';
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
  it('is made once, and never again; and its key is for its owner alone', async () => {
    const own = await mkdtemp(join(data, 'once-'));
    const { fingerprint } = openAuthority(own, ['ghcr.io'], now);
    const { directory, from, until, ...again } = openAuthority(own, ['other.example'], now);
    assert.equal(again.fingerprint, fingerprint);
    assert.deepEqual(await readdir(own), ['authority']);
    const modes = [directory, join(directory, 'key.pem')].map(async (path) =>
      ((await stat(path)).mode & 0o777).toString(8),
    );
    assert.deepEqual(await Promise.all(modes), ['700', '600']);
    assert.ok(from <= now && until > now + 3649 * day);
  });

  it('is good for its hosts and what is below, and stays so whatever is configured later', async () => {
    const own = await mkdtemp(join(data, 'for-'));
    openAuthority(own, ['ghcr.io', '*.gcr.io'], now);
    const { domains } = openAuthority(own, ['quay.io'], now);
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
    assert.throws(() => openAuthority(join(directory, '..'), [], now), /others may read/);
  });

  it('is not used with a key that is none, or another’s', async () => {
    const { directory } = await fresh();
    const use = () => findAuthority(join(directory, '..'));
    await writeFile(join(directory, 'key.pem'), makeKey());
    assert.throws(use, /is not the key of/);
    await writeFile(join(directory, 'key.pem'), '');
    assert.throws(use);
  });

  it('makes place for a new one, and is kept', async () => {
    const before = await fresh(['ghcr.io']);
    const { authority, former = '' } = renewAuthority(join(before.directory, '..'), ['quay.io'], now);
    assert.deepEqual(authority.domains, ['quay.io']);
    assert.equal(await readFile(join(former, 'certificate.pem'), 'utf8'), before.certificate);
    assert.notEqual(authority.certificate, before.certificate);
  });
});

describe('root', { skip: process.getuid?.() !== 0 && 'needs root' }, () => {
  const nobody = 65_534;

  async function whoseIs(mode: number): Promise<string> {
    await chmod(data, 0o755);
    const own = await mkdtemp(join(data, 'whose-'));
    await chmod(own, mode);
    await chown(own, nobody, nobody);
    return own;
  }

  it('makes it for the user whose directory that is', async () => {
    const { directory } = renewAuthority(await whoseIs(0o700), ['ghcr.io'], now).authority;
    const owners = ['', 'key.pem', 'certificate.pem'].map(async (name) => (await stat(join(directory, name))).uid);
    assert.deepEqual(await Promise.all(owners), [nobody, nobody, nobody]);
  });

  it('does and reads there what that user may, and no more, and is root again', async () => {
    const before = [process.geteuid?.(), process.getegid?.(), process.getgroups?.()];
    const locked = await whoseIs(0o500);
    assert.throws(() => renewAuthority(locked, ['ghcr.io'], now), { code: 'EACCES' });
    const own = await whoseIs(0o700);
    const ofRoot = await fresh();
    await symlink(ofRoot.directory, join(own, 'authority'));
    assert.throws(() => findAuthority(own), { code: 'EACCES' });
    assert.deepEqual([process.geteuid?.(), process.getegid?.(), process.getgroups?.()], before);
  });
});

describe('openssl', { skip: need('openssl') }, () => {
  async function verify({ directory, ...authority }: Authority, host: string): Promise<string> {
    const leaf = issueLeaf(issuerOf(authority), { host, key: makeKey(), from: now - hour, until: now + day });
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
