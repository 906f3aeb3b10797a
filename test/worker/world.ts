// A Worker that keeps no blobs, over several registries with levers, and a CDN: made once for a test file, with nothing switched
// before each test.
import { after, before, beforeEach } from 'node:test';
import { type FakeCdn, startCdn } from '../fakes/registry/cdn.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { noBlobLevers, noLevers } from '../fakes/registry/levers.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import { waiting } from './behind.ts';
import { type Edge, startEdge } from './edge.ts';

export const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251));
export const layer = layerOf(bytes);
export const hubImage = image({ layers: [layer] });
export const otherImage = image({ layers: [layerOf(Buffer.from('of another registry'))] });
export const blobAt = `/v2/library/alpine/blobs/${layer.digest}`;

/** Docker Hub's and another registry's images; a second place that has the first one's; and two CDNs. */
export interface World {
  hub: FakeRegistry;
  other: FakeRegistry;
  second: FakeRegistry;
  cdn: FakeCdn;
  farther: FakeCdn;
  edge: Edge;
}

/** Filled before the first test. */
export function world(): World {
  const made = {} as World;
  before(async () => {
    made.hub = await startRegistry();
    made.other = await startRegistry();
    made.second = await startRegistry();
    made.cdn = await startCdn(made.hub);
    made.farther = await startCdn(made.hub);
    const { hub, other, second, cdn, farther } = made;
    for (const registry of [hub, second]) registry.hold('library/alpine', hubImage, 'latest');
    other.hold('library/alpine', otherImage, 'latest');
    const registries = {
      'docker.io': { endpoints: [hub.url], redirects: [cdn.url, farther.url] },
      'ghcr.io': { endpoints: [other.url] },
      'limited.example': { endpoints: [hub.url, second.url] },
      'mirrored.example': { endpoints: [hub.url], mirrors: [second.url] },
    };
    const hosts = { 'ghcr.edge.example': 'ghcr.io', 'hub.edge.example': 'docker.io' };
    made.edge = await startEdge({ access: 'open', registries, hosts }, { cache: false, around: waiting() });
  });
  after(async () => {
    const { edge, hub, other, second, cdn, farther } = made;
    await edge.close();
    await Promise.all([hub, other, second, cdn, farther].map((each) => each.down()));
  });
  beforeEach(() => {
    const { hub, other, second, cdn, farther } = made;
    for (const registry of [hub, other, second]) Object.assign(registry.levers, noLevers());
    for (const each of [cdn, farther]) Object.assign(each.levers, noBlobLevers());
    for (const each of [hub, other, second, cdn, farther]) each.log.length = 0;
  });
  return made;
}
