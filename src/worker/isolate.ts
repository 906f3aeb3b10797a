// What the requests of one isolate share: values only. workerd lets no request wait for another's promise or stream.
import { ConfigError } from '../config/problem.ts';
import { type ServedRegistry, settingsIn } from '../config/registries.ts';
import type { Access } from '../core/access/admit.ts';
import { memoryBook } from '../core/mirror/memory-book.ts';
import { Memory } from '../core/mirror/memory.ts';
import type { Book, Clock } from '../core/mirror/ports.ts';
import { UpstreamMemory } from '../core/upstream/memory.ts';
import { Registries } from '../core/upstream/registries.ts';
import { type WorkerConfig, readConfig } from './config.ts';

export interface Isolate {
  /** undefined: nobody has said who may pull, so nobody may. */
  readonly access: Access | undefined;
  /** Why nothing is served at all. */
  readonly wrong: ConfigError | undefined;
  readonly registries: Registries;
  readonly settings: (registry: string) => ServedRegistry;
  readonly memory: Memory;
  readonly upstreamMemory: UpstreamMemory;
  readonly book: Book;
}

export const clock: Clock = {
  now: () => Date.now(),
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal?.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason);
      });
    });
  },
};

/** `found`: the variable that configures it. */
export function openIsolate(found: unknown): Isolate {
  const { config, wrong } = tryConfig(found);
  const registries = new Registries(config.registries, config.hosts);
  return {
    access: config.access,
    wrong,
    registries,
    settings: settingsIn(config.registries, registries),
    memory: new Memory(clock),
    upstreamMemory: new UpstreamMemory(),
    book: memoryBook(clock),
  };
}

function tryConfig(found: unknown): { readonly config: WorkerConfig; readonly wrong: ConfigError | undefined } {
  try {
    return { config: readConfig(found), wrong: undefined };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: { access: undefined, registries: [], hosts: {} }, wrong: error };
  }
}
