// The lab itself works, without sampan: if this fails, the other tests of the lab say nothing.
import assert from 'node:assert/strict';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { clients } from './clients/all.ts';
import { pullRaw } from './clients/raw.ts';
import { type Lab, parts, startLab } from './lab.ts';
import { need } from './need.ts';

describe('the lab', { skip: need(...parts) }, () => {
  let lab: Lab;
  before(async () => {
    lab = await startLab();
  });
  after(() => lab?.close());

  for (const client of clients) {
    test(`has a ${client.name} that pulls from the plain registry`, { skip: need(...client.needs) }, async () => {
      const directory = await mkdtemp(join(lab.directory, `${client.name}-`));
      const mirror = { address: lab.plain.url.replace('http://', ''), prefix: '' };
      const { digests } = await client.pull('library/multi:latest', mirror, directory);
      assert.ok(digests.includes(lab.digests.multi));
    });
  }

  test('has an upstream that demands a token and redirects blobs to the CDN, which counts them', async () => {
    await assert.rejects(pullRaw(lab.upstream.url, 'library/bare', 'latest'), { status: 401 });
    const scope = 'repository:library/bare:pull';
    const granted = await fetch(`${lab.tokens.realm}?service=${encodeURIComponent(lab.tokens.service)}&scope=${scope}`);
    const { token } = (await granted.json()) as { token: string };
    const authorization = `Bearer ${token}`;
    const manifest = await fetch(`${lab.upstream.url}/v2/library/bare/manifests/latest`, {
      headers: { authorization, accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    const { config } = (await manifest.json()) as { config: { digest: string; size: number } };

    await lab.forget();
    const blob = `/v2/library/bare/blobs/${config.digest}`;
    const found = await fetch(lab.upstream.url + blob, { headers: { authorization }, redirect: 'manual' });
    const location = found.headers.get('location') ?? '';
    assert.ok(location.startsWith(`${lab.cdn.url}/`), location);
    const part = await fetch(location, { headers: { range: 'bytes=1-3' } });
    assert.equal(part.headers.get('content-range'), `bytes 1-3/${config.size}`);
    await part.bytes();
    const asked = (path: string, status: number, bytes: number) => [{ method: 'GET', path, status, bytes }];
    assert.deepEqual(await lab.upstream.accesses(), asked(blob, 307, 0));
    assert.deepEqual(await lab.cdn.accesses(), asked(new URL(location).pathname, 206, 3));
  });

  test('has parts that stop and come back where they were', async () => {
    await lab.upstream.stop();
    await assert.rejects(fetch(`${lab.upstream.url}/v2/`));
    await lab.upstream.start();
    assert.equal((await fetch(`${lab.upstream.url}/v2/`)).status, 401);
  });
});
