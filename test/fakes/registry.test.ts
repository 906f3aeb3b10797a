// The fake registry conforms, and its levers do what they say.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { digestOf, generated, randomBytes } from './registry/bytes.ts';
import { type FakeCdn, startCdn } from './registry/cdn.ts';
import { artifact, blobOf, image, index, layerOf } from './registry/content.ts';
import { Gate } from './registry/gate.ts';
import { answer, noLevers } from './registry/levers.ts';
import { indexAndImage, oversized, schema1, truncated } from './registry/oddities.ts';
import { type FakeRegistry, startRegistry } from './registry/registry.ts';

const layer = layerOf(randomBytes(1, 100_000));
const amd64 = image({ layers: [layer] });
const arm64 = image({ layers: [layerOf(randomBytes(2, 1000))], platform: { os: 'linux', architecture: 'arm64' } });
const both = index([amd64, arm64]);
const old = image({ layers: [layer], mediaTypes: 'docker' });
const sbom = artifact({ subject: amd64 });

let registry: FakeRegistry;
let cdn: FakeCdn;
const get = (path: string, init: RequestInit = {}) =>
  fetch(`${registry.url}/v2/${path}`, { redirect: 'manual', ...init });
const bytes = async (response: Response) => Buffer.from(await response.arrayBuffer());
const list = async (path: string) =>
  ((await (await get(path)).json()) as { manifests: { digest: string }[] }).manifests.map((each) => each.digest);
const blob = `library/x/blobs/${layer.digest}`;

before(async () => {
  registry = await startRegistry();
  cdn = await startCdn(registry);
  registry.hold('library/x', both, 'latest');
  registry.hold('library/x', old, 'docker');
  registry.hold('library/x', sbom);
});
beforeEach(() => {
  Object.assign(registry.levers, noLevers());
  registry.log.length = 0;
});
after(async () => {
  await registry.down();
  await cdn.down();
});

describe('a fake registry without levers', () => {
  test('answers the ping', async () => {
    assert.equal((await get('')).status, 200);
  });

  test('serves a manifest by tag and by digest, byte for byte and with its type', async () => {
    for (const target of ['latest', both.digest]) {
      const response = await get(`library/x/manifests/${target}`);
      assert.equal(response.headers.get('content-type'), both.mediaType);
      assert.equal(response.headers.get('docker-content-digest'), both.digest);
      assert.deepEqual(await bytes(response), both.body);
    }
  });

  test('serves the children of an index, and docker types', async () => {
    assert.deepEqual(await bytes(await get(`library/x/manifests/${arm64.digest}`)), arm64.body);
    assert.equal((await get('library/x/manifests/docker')).headers.get('content-type'), old.mediaType);
  });

  test('answers HEAD with the headers of GET and no body', async () => {
    const manifest = await get('library/x/manifests/latest', { method: 'HEAD' });
    assert.equal(manifest.headers.get('content-length'), String(both.body.length));
    const head = await get(blob, { method: 'HEAD' });
    assert.equal(head.headers.get('content-length'), '100000');
    assert.equal((await bytes(head)).length, 0);
  });

  test('serves blobs whole and in ranges, and says 416', async () => {
    assert.equal(digestOf(layer.bytes), layer.digest);
    assert.deepEqual(await bytes(await get(blob)), layer.bytes.read(0, 100_000));
    const part = await get(blob, { headers: { range: 'bytes=500-1499' } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), 'bytes 500-1499/100000');
    assert.deepEqual(await bytes(part), layer.bytes.read(500, 1000));
    const outside = await get(blob, { headers: { range: 'bytes=100000-' } });
    assert.equal(outside.status, 416);
    assert.equal(outside.headers.get('content-range'), 'bytes */100000');
  });

  test('says 404 with the right code, and 405 to a push', async () => {
    const code = async (path: string) => {
      const response = await get(path);
      assert.equal(response.status, 404);
      return ((await response.json()) as { errors: { code: string }[] }).errors[0]?.code;
    };
    assert.equal(await code('library/y/manifests/latest'), 'NAME_UNKNOWN');
    assert.equal(await code('library/x/manifests/none'), 'MANIFEST_UNKNOWN');
    assert.equal(await code(`library/x/blobs/${blobOf(Buffer.from('none')).digest}`), 'BLOB_UNKNOWN');
    assert.equal((await get('library/x/manifests/latest', { method: 'PUT' })).status, 405);
  });

  test('lists tags in pages', async () => {
    registry.levers.pageSize = 1;
    const first = await get('library/x/tags/list');
    assert.deepEqual(await first.json(), { name: 'library/x', tags: ['docker'] });
    assert.equal(first.headers.get('link'), '</v2/library/x/tags/list?n=1&last=docker>; rel="next"');
    const second = await get('library/x/tags/list?n=1&last=docker');
    assert.deepEqual(await second.json(), { name: 'library/x', tags: ['latest'] });
    assert.equal(second.headers.get('link'), null);
  });

  test('lists referrers, filtered if asked, and none as an empty index', async () => {
    assert.deepEqual(await list(`library/x/referrers/${amd64.digest}`), [sbom.digest]);
    assert.deepEqual(await list(`library/x/referrers/${amd64.digest}?artifactType=application/other`), []);
    assert.deepEqual(await list(`library/x/referrers/${arm64.digest}`), []);
  });

  test('knows sha512', async () => {
    const item = registry.hold(
      'library/x',
      image({ layers: [layerOf(randomBytes(3, 10), 'sha512')], algorithm: 'sha512' }),
    );
    assert.match(item.digest, /^sha512:[0-9a-f]{128}$/);
    assert.deepEqual(await bytes(await get(`library/x/manifests/${item.digest}`)), item.body);
  });
});

describe('the levers of a fake registry', () => {
  test('break off after so many bytes, so many times', async () => {
    registry.levers.breakOff = { after: 4096, times: 1 };
    const response = await get(blob);
    let got = 0;
    await assert.rejects(async () => {
      for await (const chunk of response.body ?? []) got += chunk.length;
    });
    assert.equal(got, 4096);
    assert.equal((await bytes(await get(blob))).length, 100_000);
  });

  test('stall until the gate is opened', async () => {
    const gate = new Gate();
    registry.levers.stall = { after: 10, gate };
    const response = await get(blob);
    const reader = response.body?.getReader();
    assert.equal((await reader?.read())?.value?.length, 10);
    await gate.reached();
    const rest = reader?.read();
    gate.open();
    assert.notEqual((await rest)?.value?.length, 0);
    await reader?.cancel();
  });

  test('throttle by the permits of a gate', async () => {
    const gate = new Gate();
    registry.levers.throttle = { bytes: 1000, gate };
    const reader = (await get(blob)).body?.getReader();
    gate.pass(1);
    assert.equal((await reader?.read())?.value?.length, 1000);
    await gate.reached(2);
    await reader?.cancel();
    gate.open();
  });

  test('lie in all bytes, or in the last', async () => {
    registry.levers.lie = { bytes: 'all' };
    assert.notEqual((await bytes(await get(blob)))[0], layer.bytes.read(0, 1)[0]);
    registry.levers.lie = { bytes: 'last' };
    const body = await bytes(await get(blob));
    assert.deepEqual(body.subarray(0, -1), layer.bytes.read(0, 99_999));
    assert.notEqual(body.at(-1), layer.bytes.read(99_999, 1)[0]);
  });

  test('demand a token, and give it for public repositories only', async () => {
    registry.levers.token = { expiresIn: 300, private: ['library/secret'] };
    registry.hold('library/secret', amd64, 'latest');
    const refused = await get('library/x/manifests/latest');
    assert.equal(refused.status, 401);
    assert.equal(
      refused.headers.get('www-authenticate'),
      `Bearer realm="${registry.url}/token",service="fake registry",scope="repository:library/x:pull"`,
    );
    const login = async (repository: string, headers: Record<string, string> = {}) => {
      const answered = await fetch(
        `${registry.url}/token?service=fake%20registry&scope=repository:${repository}:pull`,
        { headers },
      );
      const { token, expires_in: expiresIn } = (await answered.json()) as { token: string; expires_in: number };
      assert.equal(expiresIn, 300);
      return (await get(`${repository}/manifests/latest`, { headers: { authorization: `Bearer ${token}` } })).status;
    };
    assert.equal(await login('library/x'), 200);
    assert.equal(await login('library/secret'), 401);
    assert.equal(await login('library/secret', { authorization: 'Basic YTpi' }), 200);
    assert.equal(registry.asked('/token').length, 3);
  });

  test('redirect blobs to a CDN that refuses an Authorization header', async () => {
    registry.levers.redirect = cdn.url;
    const response = await get(blob);
    assert.equal(response.status, 307);
    const location = response.headers.get('location') ?? '';
    assert.deepEqual(await bytes(await fetch(location)), layer.bytes.read(0, 100_000));
    assert.equal((await fetch(location, { headers: { authorization: 'Bearer x' } })).status, 400);
    assert.equal(cdn.asked(layer.digest).length, 2);
  });

  test('give canned answers for chosen paths, as often as told', async () => {
    registry.levers.answers = [{ ...answer.tooMany(/manifests/), times: 1 }, answer.html(/blobs/, 403)];
    const refused = await get('library/x/manifests/latest');
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [429, '30']);
    assert.equal((await get('library/x/manifests/latest')).status, 200);
    const page = await get(blob);
    assert.deepEqual([page.status, page.headers.get('content-type')], [403, 'text/html']);
  });

  test('leave out length, ranges, digest, HEAD and referrers', async () => {
    Object.assign(registry.levers, { contentLength: false, ranges: false, digestHeader: 'get only', referrers: false });
    const whole = await get(blob, { headers: { range: 'bytes=5-' } });
    assert.deepEqual([whole.status, whole.headers.get('content-length')], [200, null]);
    assert.equal((await bytes(whole)).length, 100_000);
    assert.equal(
      (await get('library/x/manifests/latest', { method: 'HEAD' })).headers.get('docker-content-digest'),
      null,
    );
    assert.equal((await get('library/x/manifests/latest')).headers.get('docker-content-digest'), both.digest);
    assert.equal((await get(`library/x/referrers/${amd64.digest}`)).status, 404);
    registry.levers.head = false;
    assert.equal((await get(blob, { method: 'HEAD' })).status, 405);
  });

  test('go down and come back on the same port', async () => {
    const { url } = registry;
    await registry.down();
    await assert.rejects(get(''));
    await registry.up();
    assert.equal(registry.url, url);
    assert.equal((await get('')).status, 200);
  });
});

describe('content', () => {
  test('is the same from the same seed, and can be read at any offset', () => {
    const big = generated(7, 3_000_000);
    const whole = Buffer.concat([big.read(0, 1 << 20), big.read(1 << 20, 1 << 20), big.read(2 << 20, 1 << 20)]);
    assert.equal(whole.length, 3_000_000);
    assert.equal(digestOf(big), blobOf(whole).digest);
    assert.deepEqual(big.read((1 << 20) + 3, 100), whole.subarray((1 << 20) + 3, (1 << 20) + 103));
    assert.deepEqual(randomBytes(1, 1001), randomBytes(1, 1001));
  });

  test('has its oddities', () => {
    assert.equal(JSON.parse(schema1().body.toString()).schemaVersion, 1);
    assert.throws(() => JSON.parse(truncated().body.toString()));
    assert.equal(oversized().body.length, 4 * 1024 * 1024 + 1);
    assert.deepEqual(Object.keys(JSON.parse(indexAndImage().body.toString())).toSorted(), [
      'config',
      'layers',
      'manifests',
      'schemaVersion',
    ]);
  });
});
