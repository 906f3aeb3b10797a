// A link between an upstream and whoever pulls from it, run in a process of its own.
import { type ChildProcess, fork } from 'node:child_process';
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
  const port = await told<number>(child);
  return {
    url: `http://127.0.0.1:${port}`,
    counts() {
      child.send('counts');
      return told<Counts>(child);
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

/** The next message. Throws if there will be none. */
async function told<T>(child: ChildProcess): Promise<T> {
  const either = new AbortController();
  const { signal } = either;
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error('the link is broken');
  });
  try {
    const [message] = await Promise.race([once(child, 'message', { signal }), ended]);
    return message as T;
  } finally {
    either.abort();
  }
}
