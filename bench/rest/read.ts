// Has a blob read by the reader, in a process that lives no longer than that.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Order, Read } from './reader.ts';

export async function read(order: Order): Promise<Read> {
  const reader = fork(new URL('reader.ts', import.meta.url), { execArgv: ['--disable-warning=ExperimentalWarning'] });
  const ended = once(reader, 'exit');
  try {
    reader.send(order);
    const told = once(reader, 'message') as Promise<[Read]>;
    const failed = ended.then(() => Promise.reject(new Error('the reader failed')));
    return (await Promise.race([told, failed]))[0];
  } finally {
    if (reader.connected) reader.disconnect();
    await ended;
  }
}
