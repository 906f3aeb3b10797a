// One image with one layer in a registry, known to be public, as the tests of blobs begin.
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';
import { type World, world } from './world.ts';

export const size = 300_000;
export const bytes = randomBytes(7, size);
export const layer = layerOf(bytes);
export const path = `/v2/alpine/blobs/${layer.digest}`;
export const upstreamPath = `/v2/library/alpine/blobs/${layer.digest}`;

export async function alpine(options: Parameters<typeof world>[0] = {}): Promise<World> {
  const all = await world(options);
  all.registry.hold('library/alpine', image({ layers: [layer] }), '3');
  // As every client does first.
  await all.get('/v2/alpine/manifests/3');
  all.asked();
  return all;
}
