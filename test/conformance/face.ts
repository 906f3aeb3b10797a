// What every face owes whoever speaks HTTP to it: one table, run against each of them.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

export interface FaceRequest {
  /** GET if there is none. */
  readonly method?: string;
  /** Path and query, sent exactly as they are written. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a POST. */
  readonly body?: string;
}

export interface FaceAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Uint8Array;
}

export interface RunningFace {
  request(request: FaceRequest): Promise<FaceAnswer>;
  close(): Promise<void>;
}

/** What the upstream of the face under test holds, in one repository of docker.io. */
export interface KnownContent {
  readonly repository: string;
  readonly tag: string;
  readonly manifest: { readonly mediaType: string; readonly digest: string; readonly bytes: Uint8Array };
  /** At least 100 bytes. */
  readonly blob: { readonly digest: string; readonly bytes: Uint8Array };
}

interface Row {
  readonly what: string;
  readonly target: string;
  readonly status: number;
  readonly code: string;
}

export function describeFace(name: string, open: () => Promise<RunningFace>, known: KnownContent): void {
  describe(name, () => {
    let face: RunningFace;
    before(async () => {
      face = await open();
    });
    after(() => face.close());

    const at = `/v2/${known.repository}`;
    const manifestAt = `${at}/manifests/${known.tag}`;
    const blobAt = `${at}/blobs/${known.blob.digest}`;

    for (const target of ['/v2/', '/v2', '/v2/?ns=docker.io', '/docker.io/v2/']) {
      it(`answers the ping ${target}`, async () => {
        const answer = await face.request({ target });
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0');
      });
    }

    for (const [method, target] of [
      ['POST', `${at}/blobs/uploads/`],
      ['PUT', manifestAt],
      ['PATCH', `${at}/blobs/uploads/1`],
      ['DELETE', manifestAt],
      ['DELETE', blobAt],
      ['PUT', '/v2/UPPER/manifests/x'],
      ['POST', '/anything'],
    ] as const) {
      it(`is read-only: ${method} ${target} gets 405`, async () => {
        const answer = await face.request({ method, target });
        assertError(answer, 405, 'UNSUPPORTED');
        assert.equal(answer.headers['allow'], 'GET, HEAD');
      });
    }

    for (const { what, target, status, code } of badInput(known)) {
      it(`refuses ${what}: ${shortened(target)} gets ${status} ${code}`, async () => {
        assertError(await face.request({ target }), status, code);
        const head = await face.request({ method: 'HEAD', target });
        assert.equal(head.status, status);
        assert.equal(head.body.length, 0);
      });
    }

    it('says which registries there are to whoever asks for another', async () => {
      const { body } = await face.request({ target: '/v2/a/manifests/b?ns=registry.invalid' });
      assert.match(textOf(body), /docker\.io/);
    });

    for (const target of [manifestAt, `${at}/manifests/${known.manifest.digest}`]) {
      it(`serves the manifest at ${target} byte for byte, and its head alone to HEAD`, async () => {
        const { mediaType, digest, bytes } = known.manifest;
        const got = await face.request({ target });
        const head = await face.request({ method: 'HEAD', target });
        assert.deepEqual(Buffer.from(got.body), Buffer.from(bytes));
        assert.equal(head.body.length, 0);
        for (const answer of [got, head]) {
          assert.equal(answer.status, 200);
          assert.equal(answer.headers['content-type'], mediaType);
          assert.equal(answer.headers['content-length'], String(bytes.length));
          assert.equal(answer.headers['docker-content-digest'], digest);
          assertUntransformed(answer);
        }
      });
    }

    it('answers 304 to whoever has the manifest already', async () => {
      const headers = { 'if-none-match': `"${known.manifest.digest}"` };
      const answer = await face.request({ target: manifestAt, headers });
      assert.equal(answer.status, 304);
      assert.equal(answer.body.length, 0);
    });

    it('serves a blob byte for byte, and its head alone to HEAD', async () => {
      const { digest, bytes } = known.blob;
      const got = await face.request({ target: blobAt, headers: { 'accept-encoding': 'gzip, zstd' } });
      const head = await face.request({ method: 'HEAD', target: blobAt });
      assert.deepEqual(Buffer.from(got.body), Buffer.from(bytes));
      assert.equal(head.body.length, 0);
      for (const answer of [got, head]) {
        assert.equal(answer.status, 200);
        assert.equal(answer.headers['content-length'], String(bytes.length));
        assert.equal(answer.headers['docker-content-digest'], digest);
        assert.equal(answer.headers['accept-ranges'], 'bytes');
        assertUntransformed(answer);
      }
    });

    // The vectors of the OCI conformance suite, for a blob of any size.
    const size = known.blob.bytes.length;
    for (const [range, first, end] of [
      ['bytes=0-0', 0, 1],
      ['bytes=10-19', 10, 20],
      ['bytes=50-', 50, size],
      ['bytes=-10', size - 10, size],
      [`bytes=10-${size + 1000}`, 10, size],
      [`bytes=-${size + 1000}`, 0, size],
    ] as const) {
      it(`serves just ${range} of a blob`, async () => {
        const answer = await face.request({ target: blobAt, headers: { range } });
        assert.equal(answer.status, 206);
        assert.equal(answer.headers['content-range'], `bytes ${first}-${end - 1}/${size}`);
        assert.equal(answer.headers['content-length'], String(end - first));
        assert.deepEqual(Buffer.from(answer.body), Buffer.from(known.blob.bytes.subarray(first, end)));
      });
    }

    for (const range of ['bytes=50-0', `bytes=${size}-`, `bytes=${size + 10}-${size + 20}`]) {
      it(`answers 416 to ${range} of a blob`, async () => {
        const answer = await face.request({ target: blobAt, headers: { range } });
        assertError(answer, 416, 'RANGE_INVALID');
        assert.equal(answer.headers['content-range'], `bytes */${size}`);
      });
    }

    for (const range of ['bytes=0-1,5-6', 'pages=1-2', 'bytes=x']) {
      it(`serves the whole blob to a range that it does not serve: ${range}`, async () => {
        const answer = await face.request({ target: blobAt, headers: { range } });
        assert.equal(answer.status, 200);
        assert.equal(answer.body.length, size);
      });
    }
  });
}

function badInput({ repository, blob }: KnownContent): readonly Row[] {
  const at = `/v2/${repository}`;
  const invalidName = { status: 400, code: 'NAME_INVALID' };
  return [
    { what: 'upper case in a name', target: '/v2/library/Alpine/manifests/latest', ...invalidName },
    { what: 'an empty component', target: '/v2/library//alpine/manifests/latest', ...invalidName },
    { what: 'an encoded slash', target: '/v2/library%2falpine/manifests/latest', ...invalidName },
    { what: 'an encoded backslash', target: '/v2/library%5calpine/manifests/latest', ...invalidName },
    { what: 'an encoded NUL', target: '/v2/library/alpine%00/manifests/latest', ...invalidName },
    { what: 'a percent sign that encodes nothing', target: '/v2/library/%zz/manifests/latest', ...invalidName },
    { what: 'what is no UTF-8', target: '/v2/library/%ff/manifests/latest', ...invalidName },
    { what: 'an encoding of an encoding', target: '/v2/library/%2561lpine/manifests/latest', ...invalidName },
    { what: 'dots that climb', target: '/v2/library/%2e%2e/manifests/latest', ...invalidName },
    { what: 'a name of more than 255 characters', target: `/v2/${'a/'.repeat(200)}a/manifests/latest`, ...invalidName },
    { what: 'a tag that starts with a hyphen', target: `${at}/manifests/-x`, status: 400, code: 'TAG_INVALID' },
    {
      what: 'a tag of more than 128 characters',
      target: `${at}/manifests/${'x'.repeat(129)}`,
      status: 400,
      code: 'TAG_INVALID',
    },
    { what: 'a digest that is short', target: `${at}/blobs/sha256:abc`, status: 400, code: 'DIGEST_INVALID' },
    {
      what: 'a digest in upper case',
      target: `${at}/blobs/${blob.digest.toUpperCase()}`,
      status: 400,
      code: 'DIGEST_INVALID',
    },
    {
      what: 'a digest of another kind',
      target: `${at}/blobs/md5:${'a'.repeat(32)}`,
      status: 400,
      code: 'DIGEST_INVALID',
    },
    { what: 'a manifest of a bad digest', target: `${at}/manifests/sha256:xyz`, status: 400, code: 'DIGEST_INVALID' },
    {
      what: 'a page size that is no number',
      target: `${at}/tags/list?n=x`,
      status: 400,
      code: 'PAGINATION_NUMBER_INVALID',
    },
    { what: 'two registries that disagree', target: '/v2/docker.io/a/manifests/b?ns=ghcr.io', ...invalidName },
    { what: 'ns twice', target: '/v2/a/manifests/b?ns=docker.io&ns=docker.io', ...invalidName },
    { what: 'ns that is no host', target: '/v2/a/manifests/b?ns=http://docker.io', ...invalidName },
    { what: 'an unknown registry', target: '/v2/a/manifests/b?ns=registry.invalid', status: 404, code: 'NAME_UNKNOWN' },
  ];
}

function assertError(answer: FaceAnswer, status: number, code: string): void {
  const text = textOf(answer.body);
  assert.equal(answer.status, status, text);
  assert.equal(answer.headers['content-type'], 'application/json');
  const { errors } = JSON.parse(text) as { errors: { code: string; message: string }[] };
  assert.equal(errors.length, 1);
  assert.equal(errors[0]?.code, code);
  assert.ok(errors[0].message.length > 0);
}

function assertUntransformed({ headers }: FaceAnswer): void {
  assert.equal(headers['content-encoding'], undefined);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

function shortened(target: string): string {
  return target.length > 80 ? `${target.slice(0, 77)}…` : target;
}
