// Compares passwords with their bcrypt hashes in a thread of its own, one after the other: each takes as long as many requests.
import { Worker } from 'node:worker_threads';
import type { CompareHash } from '../core/access/passwords.ts';
import { RegistryError } from '../core/oci/errors.ts';
import type { Comparison } from './bcrypt-thread.ts';

interface Waiting {
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** At a usual cost these take a few seconds; clients wait for longer. */
const mostWaiting = 16;

export class Bcrypt {
  /** Started when the first one comes: most have no passwords to check. */
  #worker: Worker | undefined;
  /** In the order in which they were sent, and are answered. */
  readonly #waiting: Waiting[] = [];

  readonly compare: CompareHash = (password, hash) => {
    if (this.#waiting.length >= mostWaiting) return Promise.reject(tooMany());
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    this.#waiting.push({ resolve, reject });
    this.#worker ??= this.#start();
    this.#worker.postMessage({ password, hash } satisfies Comparison, []);
    return promise;
  };

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    // Its garbage is small and short-lived; by default it would be let grow as the main thread's is.
    const worker = new Worker(new URL('./bcrypt-thread.ts', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    worker.unref();
    worker.on('message', (right: boolean) => this.#waiting.shift()?.resolve(right));
    let broken = new Error('the thread that checks passwords has ended');
    worker.on('error', (error: Error) => (broken = error));
    worker.on('exit', () => {
      // Whoever comes next has another one.
      this.#worker = undefined;
      for (const { reject } of this.#waiting.splice(0)) reject(broken);
    });
    return worker;
  }
}

function tooMany(): RegistryError {
  return new RegistryError('UNAVAILABLE', 'this mirror is checking too many passwords at the moment', {
    headers: { 'retry-after': '2' },
  });
}
