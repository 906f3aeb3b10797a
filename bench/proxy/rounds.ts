// Measures one proxy after the other, round after round, in front of a host that is made anew as they are.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench } from '../bench.ts';
import type { Sample, Samples } from '../samples.ts';
import { proxies, type Proxy, type ProxyKind } from './kinds.ts';

export interface ProxyPlan<Key extends string> {
  readonly name: string;
  readonly rounds: number;
  /** Bytes that the host sends to each client. */
  readonly size: number;
  measure(proxy: Proxy): Promise<Readonly<Record<Key, number | undefined>>>;
}

export async function alternateProxies<Key extends string>(bench: Bench, plan: ProxyPlan<Key>): Promise<Samples<Key>> {
  const kinds = proxies.filter(({ missing }) => missing === undefined);
  const samples = new Map(kinds.map(({ name }): [string, Sample<Key>[]] => [name, []]));
  for (let round = 1; round <= plan.rounds; round++) {
    // Each round begins with another one.
    for (const kind of round % 2 === 1 ? kinds : kinds.toReversed()) {
      const sample = await attempt(bench, plan, kind);
      samples.get(kind.name)?.push(sample);
      bench.say(`${plan.name}, round ${round} of ${plan.rounds}, ${kind.name}: ${JSON.stringify(sample)}`);
    }
  }
  return samples;
}

async function attempt<Key extends string>(bench: Bench, plan: ProxyPlan<Key>, kind: ProxyKind): Promise<Sample<Key>> {
  const directory = await mkdtemp(join(bench.directory, 'proxy-'));
  const host = fork(new URL('host.ts', import.meta.url), [String(plan.size)]);
  try {
    const [port] = (await once(host, 'message')) as [number];
    const proxy = await kind.start(directory, port);
    try {
      return await plan.measure(proxy);
    } finally {
      await proxy.stop();
    }
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  } finally {
    const ended = once(host, 'exit');
    host.disconnect();
    await ended;
    await rm(directory, { recursive: true, force: true });
  }
}
