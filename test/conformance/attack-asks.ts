// What the attack table asks for, and what an answer to it gives away.
import assert from 'node:assert/strict';
import type { Secret } from './attack-lab.ts';
import type { FaceAnswer } from './face.ts';

export interface Ask {
  readonly what: string;
  readonly path: (secret: Secret) => string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const blob = ({ layer }: Secret) => `blobs/${layer.digest}`;
const manifest = ({ item }: Secret) => `manifests/${item.digest}`;
export const byDigest: readonly Ask[] = [
  { what: 'a manifest by its digest', path: manifest },
  { what: 'the head of a manifest', path: manifest, method: 'HEAD' },
  { what: 'whether a manifest has changed', path: manifest, headers: { 'if-none-match': '*' } },
  { what: 'a blob', path: blob },
  { what: 'the head of a blob', path: blob, method: 'HEAD' },
  { what: 'whether a blob has changed', path: blob, headers: { 'if-none-match': '*' } },
  { what: 'a range of a blob', path: blob, headers: { range: 'bytes=10-19' } },
  { what: 'a range beyond a blob', path: blob, headers: { range: 'bytes=999999-' } },
  { what: 'the referrers', path: ({ item }) => `referrers/${item.digest}` },
];
export const asks: readonly Ask[] = [
  { what: 'a manifest by its tag', path: () => 'manifests/1' },
  { what: 'the head of a tag', path: () => 'manifests/1', method: 'HEAD' },
  { what: 'the tags', path: () => 'tags/list' },
  ...byDigest,
];

/** Of the connection, of the moment, or of the harness; none is of the answer. */
const passing = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding', 'x-cache-operations']);

/** An answer as it would be about a repository and an image without a name. */
export function seen({ status, headers, body }: FaceAnswer, name: string, { item, layer, sbom }: Secret): string {
  const told = [status, Object.entries(headers).filter(([each]) => !passing.has(each)), Buffer.from(body).toString()];
  return JSON.stringify(told)
    .replaceAll(name, 'NAME')
    .replaceAll(item.digest, 'MANIFEST')
    .replaceAll(layer.digest, 'LAYER')
    .replaceAll(sbom.digest, 'SBOM');
}

export function assertNothingOf({ bytes, item, sbom }: Secret, { headers, body }: FaceAnswer): void {
  for (const hidden of [bytes.subarray(0, 7), item.body, sbom.digest]) assert.ok(!Buffer.from(body).includes(hidden));
  for (const sign of ['docker-content-digest', 'etag', 'content-range', 'cache-status']) {
    assert.equal(headers[sign], undefined, sign);
  }
}

export function assertHad(ask: Ask, { item, bytes, sbom }: Secret, status: number, body: Buffer): void {
  const { what, method = 'GET', headers = {} } = ask;
  const { range } = headers;
  if (what.includes('beyond')) return assert.equal(status, 416);
  // What is passed on is whole: whether it has changed is asked of what is held.
  if ('if-none-match' in headers) return assert.ok([200, 304].includes(status));
  assert.equal(status, range === undefined ? 200 : 206, what);
  if (method === 'HEAD') return assert.equal(body.length, 0);
  if (what.includes('manifest')) return assert.deepEqual(body, item.body);
  if (range !== undefined) return assert.deepEqual(body, bytes.subarray(10, 20));
  if (what.includes('blob')) return assert.deepEqual(body, bytes);
  assert.ok(what === 'the tags' ? body.includes('"1"') : body.includes(sbom.digest), what);
}
