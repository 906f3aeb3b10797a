// Upstreams that differ, and upstreams that misbehave, behind a sampan as people run it: what Debian's registry cannot be made to do.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { after, afterEach, before, describe, test } from 'node:test';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { type FakeCdn, startCdn } from '../fakes/registry/cdn.ts';
import { artifact, blobOf, image, index, type Item, layerOf } from '../fakes/registry/content.ts';
import { answer, type Answer, type Levers, noBlobLevers, noLevers } from '../fakes/registry/levers.ts';
import { indexAndImage, oversized, schema1, truncated } from '../fakes/registry/oddities.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import { pullRaw } from './clients/raw.ts';
import { temporary } from './lab.ts';
import { type Sampan, startSampan } from './sampan.ts';

let directory: string;
let registry: FakeRegistry;
let cdn: FakeCdn;
let sampan: Sampan;
let seed = 0;

before(async () => {
  directory = await temporary();
  registry = await startRegistry();
  cdn = await startCdn(registry);
  sampan = await startSampan(directory, { 'docker.io': { endpoints: [registry.url], redirects: [cdn.url] } });
});
afterEach(() => {
  Object.assign(registry.levers, noLevers());
  Object.assign(cdn.levers, noBlobLevers());
  registry.log.length = 0;
});
after(async () => {
  await sampan?.stop();
  await registry?.down();
  await cdn?.down();
  await rm(directory, { recursive: true, force: true });
});

const get = (path: string, init?: RequestInit) => fetch(`${sampan.url}/v2/${path}`, init);

/** A repository that sampan has not seen, with an image that it has not seen. */
function fresh(item: Item = image({ layers: [layerOf(randomBytes(++seed, 200_000))] })): {
  name: string;
  item: Item;
  blob: string;
} {
  const name = `library/fresh-${++seed}`;
  registry.hold(name, item, 'latest');
  return { name, item, blob: item.blobs.at(-1)?.digest ?? '' };
}

describe('an upstream that differs', () => {
  const kinds: readonly (readonly [string, Partial<Levers>])[] = [
    ['demands a token', { token: { expiresIn: 300 } }],
    ['demands a token and does not tell how long it lasts', { token: {} }],
    ['tells no length', { contentLength: false }],
    ['ignores ranges', { ranges: false }],
    ['tells no digest on HEAD', { digestHeader: 'get only' }],
    ['tells no digest at all', { digestHeader: 'never' }],
    ['knows no HEAD', { head: false }],
  ];
  for (const [what, levers] of kinds) {
    test(`${what}: the image can be pulled, and is asked for no more`, async () => {
      Object.assign(registry.levers, levers);
      const { name, item } = fresh();
      assert.equal((await pullRaw(sampan.url, name, 'latest'))[0], item.digest);
      registry.log.length = 0;
      assert.equal((await pullRaw(sampan.url, name, 'latest'))[0], item.digest);
      assert.deepEqual(registry.asked(/blobs|manifests/, 'GET'), []);
    });
  }

  test('redirects blobs to a CDN, which gets no Authorization header', async () => {
    registry.levers.token = {};
    registry.levers.redirect = cdn.url;
    const { name, item, blob } = fresh();
    assert.equal((await pullRaw(sampan.url, name, 'latest'))[0], item.digest);
    assert.equal(cdn.asked(blob, 'GET').length, 1);
    assert.equal(
      cdn.log.find((each) => each.headers.authorization !== undefined),
      undefined,
    );
    assert.ok(!sampan.output.includes('X-Signature'));
  });

  test('redirects to a place that the configuration does not name: the blob is not fetched', async () => {
    const elsewhere = await startCdn(registry);
    registry.levers.redirect = elsewhere.url;
    const { name, blob } = fresh();
    await (await get(`${name}/manifests/latest`)).bytes();
    const answered = await get(`${name}/blobs/${blob}`);
    await answered.bytes();
    assert.ok(answered.status >= 500, String(answered.status));
    assert.deepEqual(elsewhere.log, []);
    await elsewhere.down();
  });

  test('has sha512 digests', async () => {
    const layer = layerOf(randomBytes(++seed, 1000), 'sha512');
    const { name, item } = fresh(image({ layers: [layer], algorithm: 'sha512' }));
    const manifest = await get(`${name}/manifests/${item.digest}`);
    assert.deepEqual(Buffer.from(await manifest.bytes()), item.body);
    const blob = await get(`${name}/blobs/${layer.digest}`);
    assert.deepEqual(Buffer.from(await blob.bytes()), layer.bytes.read(0, 1000));
  });

  test('lists tags in pages: the next page is asked for here', async () => {
    const { name } = fresh();
    registry.hold(name, image(), 'other');
    registry.levers.pageSize = 1;
    const first = await get(`docker.io/${name}/tags/list`);
    assert.deepEqual(await first.json(), { name, tags: ['latest'] });
    const next = /^<([^>]+)>; rel="next"$/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    assert.ok(next.startsWith(`/v2/docker.io/${name}/tags/list?`), next);
    const second = await fetch(new URL(next, sampan.url));
    assert.deepEqual(((await second.json()) as { tags: string[] }).tags, ['other']);
  });

  for (const referrers of [true, false]) {
    test(`has ${referrers ? 'a' : 'no'} referrers endpoint: the referrers are listed${referrers ? '' : ' by the fallback tag'}`, async () => {
      registry.levers.referrers = referrers;
      const { name, item } = fresh();
      const sbom = artifact({ subject: item });
      registry.hold(name, sbom);
      if (!referrers) registry.hold(name, index([sbom]), item.digest.replace(':', '-'));
      const list = await get(`${name}/referrers/${item.digest}`);
      assert.equal(list.headers.get('content-type'), 'application/vnd.oci.image.index.v1+json');
      const { manifests } = (await list.json()) as { manifests: { digest: string }[] };
      assert.deepEqual(
        manifests.map((each) => each.digest),
        [sbom.digest],
      );
    });
  }
});

describe('an upstream that refuses', () => {
  const refusals: readonly (readonly [string, Answer, number, string])[] = [
    ['401 without a challenge', answer.unauthorized(/./), 401, 'UNAUTHORIZED'],
    ['403', answer.denied(/./), 403, 'DENIED'],
    ['404', answer.missing(/./), 404, 'MANIFEST_UNKNOWN'],
    ['429', answer.tooMany(/./), 429, 'TOOMANYREQUESTS'],
    ['500', answer.unavailable(/./, 500), 503, 'UNAVAILABLE'],
    ['503', answer.unavailable(/./), 503, 'UNAVAILABLE'],
    ['502 with a page of HTML', answer.html(/./, 502), 503, 'UNAVAILABLE'],
    ['403 with a page of HTML', answer.html(/./, 403), 403, 'DENIED'],
    ['200 with a page of HTML', answer.html(/./), 502, 'MANIFEST_INVALID'],
  ];
  for (const [what, canned, status, code] of refusals) {
    test(`with ${what}: the client gets ${status} ${code}, and nothing is kept`, async () => {
      const { name, item } = fresh();
      registry.levers.answers = [canned];
      await refused(`${name}/manifests/${item.digest}`, status, code);
      const byTag = await refused(`${name}/manifests/latest`, status, code);
      if (status === 429) assert.ok(Number(byTag.headers.get('retry-after')) > 0);
      registry.levers.answers = [];
      // Another name, because a refusal may be remembered for a while.
      const other = registry.hold(`${name}/again`, item, 'latest');
      assert.equal((await pullRaw(sampan.url, `${name}/again`, 'latest'))[0], other.digest);
    });
  }
});

describe('an upstream that sends rubbish', () => {
  const rubbish: readonly (readonly [string, Item, number])[] = [
    ['a schema 1 manifest', schema1(), 400],
    ['truncated JSON', truncated(), 502],
    ['a manifest over 4 MiB', oversized(), 502],
    ['an index that is an image', indexAndImage(), 502],
    ['an index that is an image, as an index', indexAndImage('application/vnd.oci.image.index.v1+json'), 502],
  ];
  for (const [what, item, status] of rubbish) {
    test(`${what} is refused as MANIFEST_INVALID`, async () => {
      const { name } = fresh(item);
      await refused(`${name}/manifests/latest`, status, 'MANIFEST_INVALID');
      await refused(`${name}/manifests/${item.digest}`, status, 'MANIFEST_INVALID');
    });
  }

  test('a manifest that is not what its digest says is refused', async () => {
    const { name, item } = fresh();
    registry.levers.lie = { bytes: 'all', digest: item.digest };
    await refused(`${name}/manifests/${item.digest}`, 502, 'MANIFEST_INVALID');
  });

  for (const bytes of ['all', 'last'] as const) {
    test(`a blob with ${bytes} of its bytes wrong is never received whole, nor kept`, async () => {
      const { name, item, blob } = fresh();
      await (await get(`${name}/manifests/latest`)).bytes();
      registry.levers.lie = { bytes, digest: blob };
      for (const range of [undefined, 'bytes=1000-']) {
        await assert.rejects(async () => {
          const wrong = await get(`${name}/blobs/${blob}`, range === undefined ? {} : { headers: { range } });
          await wrong.bytes();
          assert.ok(wrong.status >= 500, 'a whole body came');
          throw new Error('refused at the head');
        });
      }
      registry.levers.lie = undefined;
      registry.hold(`${name}/again`, item, 'latest');
      assert.equal((await pullRaw(sampan.url, `${name}/again`, 'latest'))[0], item.digest);
    });
  }

  test('a blob that breaks off is received whole all the same', async () => {
    const { name, item, blob } = fresh();
    await (await get(`${name}/manifests/latest`)).bytes();
    registry.levers.breakOff = { after: 70_000, times: 1, digest: blob };
    const whole = await get(`${name}/blobs/${blob}`);
    assert.equal(blobOf(await whole.bytes()).digest, blob);
    assert.equal((await pullRaw(sampan.url, name, 'latest'))[0], item.digest);
  });
});

async function refused(path: string, status: number, code: string): Promise<Response> {
  const answered = await get(path);
  const body = await answered.text();
  assert.equal(answered.status, status, body);
  assert.equal((JSON.parse(body) as { errors: { code: string }[] }).errors[0]?.code, code);
  return answered;
}
