// Measures servers that hold something at rest, each filled by a pull and started anew, in turns that begin with another one each round.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { generated } from '../../test/fakes/registry/bytes.ts';
import { image, type Item, layerOf } from '../../test/fakes/registry/content.ts';
import type { Bench } from '../bench.ts';
import { Client } from '../parts/client.ts';
import { costOf, forgetPeak } from '../parts/cost.ts';
import { inTurn } from '../rounds.ts';
import type { Cost, Sample, Samples } from '../samples.ts';
import type { Certificate, Ground, Resting, RestingKind } from './kinds.ts';

export const repository = 'library/rest';

export interface Trial {
  readonly server: Resting;
  readonly item: Item;
  /** Of its layer. */
  readonly blob: string;
}

export interface RestPlan<Key extends string> {
  readonly name: string;
  readonly kinds: readonly RestingKind[];
  readonly rounds: number;
  /** How often those that are there for comparison alone; as often, if nobody says. */
  readonly peerRounds?: number;
  readonly tls?: Certificate;
  measure(trial: Trial): Promise<Readonly<Record<Key, number | undefined>>>;
}

/** What all of them hold: one layer, of 1 GiB unless it is to be quick. */
export function heldItem({ quick }: Bench): Item {
  return image({ layers: [layerOf(generated(71, quick ? 2 ** 26 : 2 ** 30))] });
}

export async function groundOf(bench: Bench, item: Item, { name }: RestingKind): Promise<Ground> {
  const directory = join(bench.directory, 'rest', name);
  await mkdir(directory, { recursive: true });
  return { directory, origin: bench.origin, storage: bench.storage, repository, item };
}

/** Says which are left out, and why. */
export function present(bench: Bench, kinds: readonly RestingKind[]): readonly RestingKind[] {
  for (const { name, missing } of kinds) if (missing !== undefined) bench.say(`left out ${name}: ${missing}`);
  return kinds.filter(({ missing }) => missing === undefined);
}

/** `cpu` and `memory` are of the measurement alone. */
export async function takeTurns<Key extends string>(bench: Bench, plan: RestPlan<Key>): Promise<Samples<Key | Cost>> {
  const item = heldItem(bench);
  await bench.hold(repository, item);
  const kinds = present(bench, plan.kinds);
  const servers = new Map<string, Resting>();
  const samples = new Map(kinds.map(({ name }): [string, Sample<Key | Cost>[]] => [name, []]));
  try {
    for (const kind of kinds) {
      const ground = await groundOf(bench, item, kind);
      await fill(kind, ground);
      servers.set(kind.name, await kind.start({ ...ground, ...(plan.tls && { tls: plan.tls }) }));
    }
    for (let round = 1; round <= plan.rounds; round++) {
      const taking = [...servers].filter(([name]) => name === 'sampan' || round <= (plan.peerRounds ?? plan.rounds));
      for (const [name, server] of inTurn(taking, round)) {
        const sample = await attempt(plan, { server, item, blob: `/v2/${repository}/blobs/${item.blobs[1]?.digest}` });
        samples.get(name)?.push(sample);
        bench.say(`${plan.name}, round ${round} of ${plan.rounds}, ${name}: ${JSON.stringify(sample)}`);
      }
    }
  } finally {
    for (const server of servers.values()) await server.stop();
  }
  return samples;
}

/** All of it is pulled through the server, and checked. */
async function fill(kind: RestingKind, ground: Ground): Promise<void> {
  const server = await kind.start(ground);
  const client = new Client(server.url, ground.repository, AbortSignal.timeout(300_000));
  try {
    await client.image(ground.item);
  } finally {
    client.close();
    await server.stop();
  }
}

async function attempt<Key extends string>(plan: RestPlan<Key>, trial: Trial): Promise<Sample<Key | Cost>> {
  const { pid } = trial.server;
  try {
    await forgetPeak(pid);
    const before = await costOf(pid);
    const measured = await plan.measure(trial);
    const { cpu = 0, memory } = await costOf(pid);
    return { ...measured, cpu: cpu - (before.cpu ?? 0), memory };
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}
