// The bench's client: what it asks for, and that it notices what is wrong.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from '../../bench/parts/client.ts';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { blobOf, image, layerOf } from '../fakes/registry/content.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';

describe('the client of the bench', () => {
  const layer = layerOf(randomBytes(1, 300_000));
  const item = image({ layers: [layer] });
  /** Of the same size, so that only the bytes tell. */
  const other = blobOf(randomBytes(2, 300_000));
  let registry: FakeRegistry;
  let client: Client;
  before(async () => {
    registry = await startRegistry();
    registry.hold('library/x', item, 'latest');
    client = new Client(registry.url, 'library/x', AbortSignal.timeout(30_000));
  });
  after(async () => {
    client.close();
    await registry.down();
  });

  test('pulls an image', () => client.image(item));
  test('reads a part from the middle', () => client.range(layer, 100_000, 150_000));
  test('reads the last bytes', () => client.range(layer, -1000));
  test('notices other bytes than those of the blob', async () => {
    await assert.rejects(client.range({ ...other, digest: layer.digest }, 100_000, 150_000), /wrong bytes/);
  });
  test('notices that a blob is not there', async () => {
    await assert.rejects(client.blob(other), /answered 404/);
  });
});
