// What faults are played on: the mirror over one registry or two, and a CDN.
import { after } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { type World, world } from '../core/mirror/world.ts';
import { type FakeCdn, startCdn } from '../fakes/registry/cdn.ts';
import { image } from '../fakes/registry/content.ts';
import { type FakeRegistry, startRegistry } from '../fakes/registry/registry.ts';

export const repository = 'library/faults';
export const manifest = `/v2/${repository}/manifests/1`;

/** Shared by cases, each of which has a blob of its own, and is followed by minutes in which the rest is forgotten. */
export interface Stage {
  readonly all: World;
  readonly cdn: FakeCdn;
  readonly registries: readonly FakeRegistry[];
  blobs: number;
}

/** Up to `lanes` connections for a blob. */
export async function stage(endpoints: 1 | 2, lanes: 1 | 4 = 4): Promise<Stage> {
  const beside = endpoints === 2 ? [await startRegistry()] : [];
  const all = await world({ beside, lanes });
  const cdn = await startCdn(all.registry);
  all.allowRedirects(cdn.url);
  after(async () => {
    await cdn.down();
    await Promise.all(beside.map((registry) => registry.down()));
  });
  const registries = [all.registry, ...beside];
  for (const registry of registries) registry.hold(repository, image(), '1');
  await all.get(manifest);
  // It is stored behind the pull's back, through incoming/ like everything.
  while (!all.events.some(({ kind }) => kind === 'stored')) await setImmediate();
  return { all, cdn, registries, blobs: 0 };
}

/** Of what the upstreams sent, so much was read: what the kernel still held when a connection broke is nobody's. */
export function bytesReceived({ events }: World): number {
  return events.reduce((sum, event) => sum + (event.kind === 'received' ? event.bytes : 0), 0);
}
