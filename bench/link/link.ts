// A link between an upstream and whoever pulls from it, run in a process of its own.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Counts, Shape } from './shape.ts';

export interface Link {
  /** What stands for the upstream. */
  readonly url: string;
  counts(): Promise<Counts>;
  stop(): Promise<void>;
}

export async function startLink(target: string, shape: Shape): Promise<Link> {
  const child = fork(new URL('relay.ts', import.meta.url), [target, JSON.stringify(shape)]);
  const [port] = (await once(child, 'message')) as [number];
  return {
    url: `http://127.0.0.1:${port}`,
    async counts() {
      child.send('counts');
      const [counts] = (await once(child, 'message')) as [Counts];
      return counts;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
