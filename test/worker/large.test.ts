// Manifests and lists that a Worker has no time to read: refused, in words that say so.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Handle, ociImage, send, serve, sha256 } from '../core/upstream/bench.ts';
import { errorOf, startEdge } from './edge.ts';

const kibibyte = 1024;

/** A manifest, or a list, of so many bytes. */
function padded(path: string, size: number): Buffer {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256('{}'), size: 2 };
  const manifest = { schemaVersion: 2, mediaType: ociImage, config, layers: [] };
  const text = JSON.stringify(path === 'tags/list' ? { name: 'x', tags: [] } : manifest);
  return Buffer.from(text.padEnd(size, ' '));
}

for (const [path, type, largest, said] of [
  ['manifests/latest', ociImage, 512 * kibibyte, /sent a manifest of more than 0\.5 MiB/],
  ['tags/list', 'application/json', 1024 * kibibyte, /sent a list of more than 1 MiB/],
] as const) {
  test(`${path} has ${largest} bytes at the most`, async (t) => {
    let body = padded(path, largest);
    const answer: Handle = (_, response) =>
      send(response, 200, { 'content-type': type, 'content-length': String(body.length) }, body.toString());
    const upstream = await serve(answer);
    const edge = await startEdge({ access: 'open', registries: { 'docker.io': { endpoints: [upstream.url] } } });
    t.after(() => edge.close());
    const found = await edge.get(`/v2/enough/${path}`);
    assert.deepEqual([found.status, found.body.length], [200, largest]);
    body = padded(path, largest + 1);
    const refused = await edge.get(`/v2/too-much/${path}`);
    assert.equal(refused.status, 502);
    assert.match(errorOf(refused).message, said);
  });
}
