// Measures one server after the other, round after round, so that what the machine does meanwhile hits all of them.
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from './bench.ts';
import { type Link, startLink } from './link/link.ts';
import type { Shape } from './link/shape.ts';
import { Client } from './parts/client.ts';
import { costOf } from './parts/cost.ts';
import type { Kind, Server } from './parts/server.ts';
import type { Cost, Sample, Samples } from './samples.ts';

/** One measurement of one server that has just been started, cold. */
export interface Trial {
  readonly server: Server;
  readonly link: Link;
  /** Empty but for what the server writes. */
  readonly directory: string;
  /** A client of its own connections; closed when the trial is over. */
  readonly client: (repository: string) => Client;
}

export interface Plan<Key extends string> {
  readonly name: string;
  readonly kinds: readonly Kind[];
  readonly link: Shape;
  /** How often; and how often those that are there for comparison alone. */
  readonly rounds: number;
  readonly peerRounds: number;
  /** After which a measurement has failed. */
  readonly seconds: number;
  measure(trial: Trial): Promise<Readonly<Record<Key, number>>>;
}

export async function alternate<Key extends string>(bench: Bench, plan: Plan<Key>): Promise<Samples<Key | Cost>> {
  const samples = new Map(plan.kinds.map(({ name }): [string, Sample<Key | Cost>[]] => [name, []]));
  for (let round = 1; round <= plan.rounds; round++) {
    const taking = plan.kinds.filter(({ peer }) => !peer || round <= plan.peerRounds);
    for (const kind of inTurn(taking, round)) {
      const sample = await attempt(bench, plan, kind, round);
      samples.get(kind.name)?.push(sample);
      bench.say(`${plan.name}, round ${round} of ${plan.rounds}, ${kind.name}: ${JSON.stringify(sample)}`);
    }
  }
  return samples;
}

/** Each round begins with another one. */
export function inTurn<Each>(all: readonly Each[], round: number): readonly Each[] {
  const first = (round - 1) % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

/** `seed`: the same for all servers of a round. */
async function attempt<Key extends string>(
  bench: Bench,
  plan: Plan<Key>,
  kind: Kind,
  seed: number,
): Promise<Sample<Key | Cost>> {
  const directory = await mkdtemp(join(bench.directory, 'trial-'));
  const link = await startLink(bench.origin, { ...plan.link, seed });
  const signal = AbortSignal.timeout(plan.seconds * 1000);
  try {
    return await withServer(kind, directory, link, signal, async (trial) => {
      const measured = await plan.measure(trial);
      return { ...measured, ...(await costOf(trial.server.pid)) };
    });
  } catch (error) {
    const late = signal.aborted ? `not done after ${plan.seconds} s` : undefined;
    return { failed: late ?? (error instanceof Error ? error.message : String(error)) };
  } finally {
    await link.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function withServer<T>(
  kind: Kind,
  directory: string,
  link: Link,
  signal: AbortSignal,
  use: (trial: Trial) => Promise<T>,
): Promise<T> {
  const server = await kind.start(directory, link.url);
  const clients: Client[] = [];
  const client = (repository: string) => {
    const one = new Client(server.url, repository, signal);
    clients.push(one);
    return one;
  };
  try {
    return await use({ server, link, directory, client });
  } finally {
    for (const each of clients) each.close();
    await server.stop();
  }
}

/** Seconds. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}
