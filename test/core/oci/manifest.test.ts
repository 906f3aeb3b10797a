import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { type Listing, acceptManifests, isManifestType, readManifest } from '../../../src/core/oci/manifest.ts';

fc.configureGlobal({ seed: 20261120, numRuns: 2000 });

const ociImage = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const dockerImage = 'application/vnd.docker.distribution.manifest.v2+json';
const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';

const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: `sha256:${'11'.repeat(32)}`, size: 2 };
const layer = { mediaType: layerType, digest: `sha256:${'22'.repeat(32)}`, size: 300 };
const long = { mediaType: layerType, digest: `sha512:${'33'.repeat(64)}`, size: 0 };
const child = { mediaType: ociImage, digest: `sha256:${'44'.repeat(32)}`, size: 400 };

const image = { schemaVersion: 2, mediaType: ociImage, config, layers: [layer, long] };
const index = {
  schemaVersion: 2,
  mediaType: ociIndex,
  manifests: [{ ...child, platform: { os: 'linux', architecture: 'arm64' } }],
};
const untyped = (document: object): object => ({ ...document, mediaType: undefined });

function bytesOf(document: unknown): Uint8Array {
  return new TextEncoder().encode(typeof document === 'string' ? document : JSON.stringify(document));
}

function read(document: unknown, contentType?: string): Listing {
  return readManifest(bytesOf(document), contentType);
}

describe('a manifest lists', () => {
  test('its config and layers, and its subject apart', () => {
    const listing = read({ ...image, subject: child, annotations: { a: 'b' }, artifactType: 'x/y' }, ociImage);
    const lists = [config, layer, long];
    assert.deepEqual(listing, { mediaType: ociImage, kind: 'image', lists, served: lists, config, subject: child });
  });

  test('an index lists its manifests', () => {
    const listing = read({ ...index, subject: config }, ociIndex);
    const lists = [child];
    const rest = { served: lists, config: undefined, subject: config };
    assert.deepEqual(listing, { mediaType: ociIndex, kind: 'index', lists, ...rest });
  });

  test('nothing at all, if that is what it says, also in the way in which Go writes it', () => {
    for (const layers of [undefined, null, []]) assert.deepEqual(read({ ...image, layers }).lists, [config]);
    for (const manifests of [null, []]) assert.deepEqual(read({ ...index, manifests, subject: null }).lists, []);
  });

  test('foreign layers, which the registry does not have, apart from those that it serves', () => {
    const foreign = [
      { ...layer, urls: ['https://elsewhere.example/x'] },
      { ...layer, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' },
      { ...layer, mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip' },
    ];
    const listing = read({ ...image, layers: [...foreign, { ...long, urls: [] }] });
    assert.equal(listing.lists.length, 5);
    assert.deepEqual(listing.served, [config, long]);
  });

  test('only what somebody could ask us for: other digest algorithms are left out, and the manifest is good', () => {
    const strange = ['blake3:', 'sha384:', 'multihash+base58:'].map((prefix) => ({
      ...layer,
      digest: `${prefix}${'5a'.repeat(32)}`,
    }));
    const listing = read({ ...image, layers: [...strange, layer], subject: strange[0] });
    assert.deepEqual([listing.lists, listing.subject], [[config, layer], undefined]);
  });
});

describe('the media type', () => {
  const dockerBody = { ...image, mediaType: dockerImage };
  const agreed: readonly (readonly [
    what: string,
    document: object,
    contentType: string | undefined,
    expected: string,
  ])[] = [
    ['is the same in both places', image, ociImage, ociImage],
    ['may have parameters and capitals in Content-Type', image, `${ociImage.toUpperCase()} ; charset=utf-8`, ociImage],
    ['may be missing in an OCI image', untyped(image), ociImage, ociImage],
    ['may be missing in an OCI index', untyped(index), ociIndex, ociIndex],
    ['may be missing in a docker manifest', untyped(image), dockerImage, dockerImage],
    ['may be missing in a docker manifest list', untyped(index), dockerList, dockerList],
    ['may be missing as Content-Type', dockerBody, undefined, dockerImage],
    ['may be empty as Content-Type', dockerBody, '', dockerImage],
    ['is the body’s if Content-Type is json', dockerBody, 'application/json; charset=utf-8', dockerImage],
    ['is the body’s if Content-Type is text', index, 'text/plain', ociIndex],
    ['is the body’s if Content-Type is just bytes', image, 'application/octet-stream', ociImage],
    ['is OCI’s if nobody tells, for only OCI allows that', untyped(image), 'application/json', ociImage],
    ['is OCI’s for an index too', untyped(index), undefined, ociIndex],
  ];
  for (const [what, document, contentType, expected] of agreed) {
    test(what, () => assert.equal(read(document, contentType).mediaType, expected));
  }
});

describe('what is no manifest is refused', () => {
  const both = { ...index, ...image };
  const bad: readonly (readonly [what: string, document: unknown, contentType?: string])[] = [
    ['nothing', ''],
    ['an HTML page', '<html><body>502 Bad Gateway</body></html>', 'text/html'],
    ['an HTML page that calls itself a manifest', '<!doctype html>', ociImage],
    ['a manifest in HTML clothes', image, 'text/html'],
    ['a manifest of a media type that nobody knows', image, 'application/vnd.example+json'],
    ['truncated JSON', JSON.stringify(image).slice(0, -1), ociImage],
    ['two documents', `${JSON.stringify(image)}{}`, ociImage],
    ['null', null],
    ['a number', 5],
    ['a string', '"x"'],
    ['an array', [image]],
    ['an empty object', {}],
    ['an error of a registry', { errors: [{ code: 'UNKNOWN' }] }, 'application/json'],
    ['image and index in one, as image', { ...both, mediaType: ociImage }],
    ['image and index in one, as index', { ...both, mediaType: ociIndex }],
    ['image and index in one, as either', untyped(both), ociIndex],
    ['an index with layers', { ...index, layers: [] }],
    ['an image with an object for manifests', { ...image, manifests: {} }],
    ['an index that calls itself an image', { ...index, mediaType: ociImage }],
    ['an image that is sent as an index', untyped(image), ociIndex],
    ['an index without manifests', { schemaVersion: 2, mediaType: ociIndex }],
    ['an image without a config', { ...image, config: undefined }],
    ['Content-Type and body disagreeing on the kind', image, ociIndex],
    ['Content-Type and body disagreeing on whose', image, dockerImage],
    ['a media type that is a number', { ...image, mediaType: 5 }],
    ['a media type of something else', { ...image, mediaType: 'text/html' }],
    ['a media type of every object', { ...image, mediaType: 'constructor' }],
    ['layers that are no list', { ...image, layers: {} }],
    ['a layer that is null', { ...image, layers: [null] }],
    ['a layer that is a list', { ...image, layers: [[]] }],
    ['a layer without a digest', { ...image, layers: [{ ...layer, digest: undefined }] }],
    ['a digest that is a number', { ...image, layers: [{ ...layer, digest: 5 }] }],
    ['a digest that is too short', { ...image, layers: [{ ...layer, digest: 'sha256:beef' }] }],
    ['a digest in capitals', { ...image, layers: [{ ...layer, digest: `sha256:${'AB'.repeat(32)}` }] }],
    ['a digest that is a path', { ...image, layers: [{ ...layer, digest: 'x:../../etc/passwd' }] }],
    ['a size below zero', { ...image, layers: [{ ...layer, size: -1 }] }],
    ['a size with a fraction', { ...image, layers: [{ ...layer, size: 1.5 }] }],
    ['a size beyond counting', { ...image, layers: [{ ...layer, size: 2 ** 53 }] }],
    ['a size in words', { ...image, layers: [{ ...layer, size: '300' }] }],
    ['a layer without a media type', { ...image, layers: [{ ...layer, mediaType: undefined }] }],
    ['a layer with an empty media type', { ...image, layers: [{ ...layer, mediaType: '' }] }],
    ['a media type with a line break', { ...image, layers: [{ ...layer, mediaType: 'a/b\r\nx: y' }] }],
    ['a media type with a line break in a parameter', { ...image, layers: [{ ...layer, mediaType: 'a/b;x\r\ny' }] }],
    ['an endless media type', { ...image, layers: [{ ...layer, mediaType: `a/${'b'.repeat(300)}` }] }],
    ['a subject that is a string', { ...image, subject: layer.digest }],
    ['a version of the future', { ...image, schemaVersion: 3 }],
  ];
  for (const [what, document, contentType] of bad) {
    test(what, () => {
      assert.throws(() => read(document, contentType), {
        name: 'RegistryError',
        code: 'MANIFEST_INVALID',
        status: 502,
      });
    });
  }

  test('bytes that are no UTF-8', () => {
    const bytes = bytesOf(image).with(20, 0xff);
    assert.throws(() => readManifest(bytes, ociImage), { code: 'MANIFEST_INVALID', status: 502 });
  });

  test('Docker schema 1, by whatever it is recognised, and says so', () => {
    const old = { schemaVersion: 1, name: 'x', fsLayers: [] };
    const types = [
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      'application/vnd.docker.distribution.manifest.v1+json; a=b',
    ];
    for (const type of [...types, 'application/json', undefined]) {
      assert.throws(() => read(old, type), {
        code: 'MANIFEST_INVALID',
        status: 400,
        message: /schema 1.*not supported/,
      });
    }
    for (const type of types) assert.throws(() => read('not even JSON', type), { status: 400 });
  });
});

test('Accept names all that can be read, and a wildcard of little weight at the end', () => {
  const types = acceptManifests.split(', ');
  assert.deepEqual(types.filter(isManifestType).toSorted(), [dockerList, dockerImage, ociIndex, ociImage].toSorted());
  assert.equal(types.at(-1), '*/*;q=0.1');
});

describe('readManifest, whatever comes', () => {
  const contentType = fc.option(
    fc.oneof(
      fc.constantFrom(ociImage, ociIndex, dockerImage, dockerList, 'application/json', 'text/html'),
      fc.string(),
    ),
    { nil: undefined },
  );

  function assertListingOrError(bytes: Uint8Array, type: string | undefined): void {
    try {
      const listing = readManifest(bytes, type);
      assert.ok(isManifestType(listing.mediaType));
      assert.ok(listing.served.every((descriptor) => listing.lists.includes(descriptor)));
    } catch (error) {
      assert.ok(error instanceof RegistryError, `not a RegistryError: ${String(error)}`);
      assert.ok(error.code === 'MANIFEST_INVALID' && (error.status === 502 || error.status === 400));
    }
  }

  test('any bytes are a listing or a MANIFEST_INVALID', () => {
    fc.assert(fc.property(fc.uint8Array(), contentType, assertListingOrError));
  });

  test('so is any JSON', () => {
    fc.assert(fc.property(fc.json(), contentType, (json, type) => assertListingOrError(bytesOf(json), type)));
  });

  test('so is any manifest with anything in any of its fields', () => {
    const field = fc.oneof(fc.jsonValue(), fc.constantFrom(config, [layer], [child], ociImage, ociIndex, 1, 2, null));
    const entry = fc.record({ mediaType: field, digest: field, size: field, urls: field }, { requiredKeys: [] });
    const list = fc.oneof(field, fc.array(fc.oneof(entry, fc.constantFrom(layer, child)), { maxLength: 3 }));
    const document = fc.record(
      {
        schemaVersion: field,
        mediaType: field,
        config: fc.oneof(field, entry),
        layers: list,
        manifests: list,
        subject: fc.oneof(field, entry),
      },
      { requiredKeys: [] },
    );
    fc.assert(fc.property(document, contentType, (value, type) => assertListingOrError(bytesOf(value), type)));
  });

  test('a manifest cut short anywhere is none', () => {
    for (const document of [image, index]) {
      const whole = bytesOf(document);
      for (let end = 0; end < whole.length; end++) {
        assert.throws(() => readManifest(whole.subarray(0, end), document.mediaType), {
          code: 'MANIFEST_INVALID',
          status: 502,
        });
      }
    }
  });

  test('depth and length do no harm', () => {
    assertListingOrError(bytesOf('['.repeat(1_000_000)), undefined);
    assertListingOrError(bytesOf(`{"a":${'['.repeat(500_000)}${']'.repeat(500_000)}}`), undefined);
    const many = read({ ...index, manifests: Array.from({ length: 20_000 }, () => child) });
    assert.equal(many.lists.length, 20_000);
  });
});
