// `sampan ca`: what it shows, whom it has trusted, and what it leaves alone.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../../src/node/cli/main.ts', import.meta.url));
const base = await mkdtemp(join(tmpdir(), 'sampan-ca-'));
after(() => rm(base, { recursive: true }));

const anchors = 'usr/local/share/ca-certificates';

interface Site {
  readonly data: string;
  readonly root: string;
  readonly anchors: string;
  configure(intercept: string): Promise<void>;
  ca(...args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string };
}

async function site(intercept = '[docker.io]'): Promise<Site> {
  const directory = await mkdtemp(join(base, 'site-'));
  const [data, root] = [join(directory, 'data'), join(directory, 'root')];
  await mkdir(data);
  await mkdir(join(root, anchors), { recursive: true });
  const configure = (what: string) =>
    writeFile(join(directory, 'sampan.yaml'), `data: data\nproxy: { listen: "127.0.0.1:8384", intercept: ${what} }\n`);
  await configure(intercept);
  return {
    data,
    root,
    anchors: join(root, anchors),
    configure,
    ca: (...args) =>
      spawnSync(process.execPath, [main, 'ca', ...args, '--config', 'sampan.yaml'], {
        cwd: directory,
        env: {},
        encoding: 'utf8',
      }),
  };
}

it('before there is an authority it says when there will be one', async () => {
  const { ca, data } = await site();
  for (const verb of ['show', 'install']) {
    const { status, stderr } = ca(verb, ...(verb === 'install' ? ['--root', '/'] : []));
    assert.equal(status, 1);
    assert.match(stderr, /^sampan: There is no authority yet/);
  }
  assert.deepEqual(await readdir(data), []);
});

it('shows for whom the authority is good, and the certificate alone for other machines', async () => {
  const { ca, data } = await site();
  assert.equal(ca('renew').status, 0);
  const { stdout } = ca('show');
  const certificate = await readFile(join(data, 'authority/certificate.pem'), 'utf8');
  assert.match(stdout, /SHA-256 +([0-9A-F]{2}:){31}[0-9A-F]{2}\n/);
  assert.match(stdout, /good for +index\.docker\.io, registry-1\.docker\.io, /);
  assert.ok(stdout.includes(join(data, 'authority/key.pem')));
  assert.equal(ca('show', '--pem').stdout, certificate);
  assert.doesNotMatch(stdout, /PRIVATE/);
});

it('says which registries the authority is not good for, until it is renewed', async () => {
  const { ca, configure, data } = await site();
  ca('renew');
  await configure('[docker.io, "*.gcr.io"]');
  assert.match(ca('show').stdout, /Not good for \*\.gcr\.io: .*sampan ca renew/);
  const renewed = ca('renew');
  assert.match(renewed.stdout, /The one before lies in .*authority-until-/);
  assert.doesNotMatch(ca('show').stdout, /Not good for/);
  assert.equal((await readdir(data)).length, 2);
});

it('has a system trust it, and no longer', async () => {
  const { ca, root, anchors: directory, data } = await site();
  ca('renew');
  const asked = ca('install', '--root', root);
  assert.equal(asked.status, 1);
  assert.match(asked.stderr, /nobody to ask; --yes goes ahead/);
  assert.deepEqual(await readdir(directory), []);
  const installed = ca('install', '--yes', '--root', root);
  assert.equal(installed.status, 0);
  assert.match(installed.stdout, /Trusted, by: update-ca-certificates\n[^]*docker, containerd +restart/);
  const [file = ''] = await readdir(directory);
  assert.equal(
    await readFile(join(directory, file), 'utf8'),
    await readFile(join(data, 'authority/certificate.pem'), 'utf8'),
  );
  await writeFile(join(directory, 'another.crt'), '');
  assert.equal(ca('install', '--undo', '--root', root).status, 0);
  assert.deepEqual(await readdir(directory), ['another.crt']);
});

it('no longer trusts the one before, and leaves those of others, which it names', async () => {
  const { ca, root, anchors: directory, data } = await site();
  await rm(data, { recursive: true });
  ca('renew');
  ca('install', '--yes', '--root', root);
  const before = await readdir(directory);
  const other = 'sampan-0123456789abcdef.crt';
  await writeFile(join(directory, other), '');
  ca('renew');
  const { stdout } = ca('install', '--yes', '--root', root);
  assert.ok(stdout.includes(`no longer uses it: ${join(directory, before[0] ?? '')}\n`));
  assert.ok(stdout.includes(`not of this sampan: ${join(directory, other)}\n`));
  assert.ok(stdout.includes(`No longer trusted: ${join(directory, before[0] ?? '')}, by`));
  const then = await readdir(directory);
  assert.equal(then.length, 2);
  assert.ok(!then.includes(before[0] ?? ''));
  const undone = ca('install', '--undo', '--root', root);
  assert.ok(undone.stdout.includes(`not of this sampan: ${join(directory, other)}\n`));
  assert.deepEqual(await readdir(directory), [other]);
  assert.match(ca('install', '--undo', '--root', root).stderr, /no authority of this sampan's is in/);
});

it('makes none where nothing is intercepted, and complains of registries that nobody knows', async () => {
  const nothing = (await site('false')).ca('renew');
  assert.deepEqual(
    [nothing.status, nothing.stderr],
    [1, 'sampan: nothing is intercepted: proxy.intercept names no registry\n'],
  );
  const wrong = (await site('[docker.oi]')).ca('renew');
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /proxy\.intercept.*found docker\.oi, which is not configured.*docker\.io/s);
});
