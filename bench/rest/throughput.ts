// How fast one blob at rest is read by so many clients at once, and what that takes the server.
import type { Bench } from '../bench.ts';
import { type Comparison, type Figure, figureOf } from '../figures.ts';
import type { Certificate, RestingKind } from './kinds.ts';
import { read } from './read.ts';
import { takeTurns } from './rounds.ts';

export interface Reading {
  readonly name: string;
  readonly kinds: readonly RestingKind[];
  readonly clients: number;
  /** How often each client reads it. */
  readonly times: number;
  readonly rounds: number;
  readonly tls?: Certificate;
  readonly rate: Comparison & Pick<Figure, 'also'>;
  readonly cpu: Comparison;
}

export async function throughput(bench: Bench, reading: Reading): Promise<readonly Figure[]> {
  const { name, kinds, clients, times, rounds, tls } = reading;
  const samples = await takeTurns(bench, {
    name,
    kinds,
    rounds,
    ...(tls && { tls }),
    async measure({ server, blob }) {
      const taken = await read({ url: server.url + blob, clients, times });
      const gigabytes = taken.bytes / 1e9;
      return { rate: taken.bytes / 1e6 / taken.seconds, gigabytes, reader: taken.cpu / gigabytes };
    },
  });
  const perGigabyte = new Map(
    [...samples].map(([server, each]) => [
      server,
      each.map((one) => ('failed' in one ? one : { cpu: (one.cpu ?? 0) / (one.gigabytes ?? 1) })),
    ]),
  );
  return [
    figureOf(samples, 'rate', { name, unit: 'MB/s', ...reading.rate }),
    figureOf(perGigabyte, 'cpu', { name: `${name}: CPU`, unit: 's/GB', ...reading.cpu }),
    figureOf(samples, 'memory', { name: `${name}: peak memory`, unit: 'MB', against: reading.cpu.against }),
    figureOf(samples, 'reader', { name: `${name}: CPU of the reader`, unit: 's/GB', against: reading.cpu.against }),
  ];
}
