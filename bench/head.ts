// On what it was measured: without this a figure means nothing.
import { cpus, loadavg, release, totalmem } from 'node:os';
import { said } from './parts/said.ts';

export interface Head {
  readonly date: string;
  /** Of the working tree, and whether it has changes that are in no commit. */
  readonly commit: string;
  readonly machine: string;
  /** Of everybody on this machine in the minute before: more than a little, and the figures are not worth keeping. */
  readonly load: number;
  readonly versions: Readonly<Record<string, string>>;
}

export function headOf(): Head {
  const processors = cpus();
  const memory = Math.round(totalmem() / 2 ** 30);
  return {
    date: new Date().toISOString(),
    commit:
      said('git', 'rev-parse', '--short', 'HEAD') + (said('git', 'status', '--porcelain') === '' ? '' : ' changed'),
    machine: `${processors.length} × ${processors[0]?.model.trim()}, ${memory} GiB, ${process.platform} ${release()}`,
    load: loadavg()[0] ?? 0,
    versions: {
      node: process.version,
      'docker-registry': numberIn(said('docker-registry', '--version')),
      nginx: numberIn(said('nginx', '-v')),
      wrk: numberIn(said('wrk', '-v')),
      squid: numberIn(said('squid', '-v')),
      dockerd: numberIn(said('dockerd', '--version')),
    },
  };
}

export function headText({ date, commit, machine, load, versions }: Head): string {
  const parts = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [`${date}, commit ${commit}, load ${load.toFixed(2)}`, machine, parts.join(', ')].join('\n');
}

function numberIn(text: string): string {
  return /\d+\.\d+[\w.+]*/.exec(text)?.[0] ?? 'missing';
}
