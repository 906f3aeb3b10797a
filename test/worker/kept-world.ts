// A Worker that keeps what it may, over registries with levers: made once for a test file, with nothing switched before each test.
import { after, before, beforeEach } from 'node:test';
import { type Item, type Layer, image, layerOf } from '../fakes/registry/content.ts';
import { noLevers } from '../fakes/registry/levers.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';
import { waiting } from './behind.ts';
import { type Edge, type Lent, startEdge } from './edge.ts';

export interface KeptWorld {
  hub: FakeRegistry;
  other: FakeRegistry;
  third: FakeRegistry;
  edge: Edge;
}

/** Filled before the first test. `third` is a third party's mirror of mirrored.example, whose endpoint is `other`. */
export function keptWorld(lent: Lent = {}): KeptWorld {
  const made = {} as KeptWorld;
  before(async () => {
    made.hub = await startRegistry();
    made.other = await startRegistry();
    made.third = await startRegistry();
    const { hub, other, third } = made;
    const registries = {
      'docker.io': { endpoints: [hub.url] },
      'ghcr.io': { endpoints: [other.url] },
      'looked.example': { endpoints: [hub.url], fresh_for: '0s' },
      'mirrored.example': { endpoints: [other.url], mirrors: [third.url] },
    };
    made.edge = await startEdge({ access: 'open', registries }, { around: waiting(), ...lent });
  });
  after(async () => {
    const { edge, hub, other, third } = made;
    await edge.close();
    await Promise.all([hub, other, third].map((each) => each.down()));
  });
  beforeEach(() => {
    for (const each of [made.hub, made.other, made.third]) {
      Object.assign(each.levers, noLevers());
      each.log.length = 0;
    }
  });
  return made;
}

export const length = 100_000;

/** An image of one layer, like no other. */
export function imageOf(text: string): { readonly item: Item; readonly layer: Layer; readonly bytes: Buffer } {
  const bytes = Buffer.alloc(length, `${text} `);
  const layer = layerOf(bytes);
  return { item: image({ layers: [layer] }), layer, bytes };
}
