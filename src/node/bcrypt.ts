// Compares passwords with their bcrypt hashes in a thread of its own, one after the other: each takes as long as many requests.
import { Worker } from 'node:worker_threads';
import type { CompareHash } from '../core/access/passwords.ts';
import { RegistryError } from '../core/oci/errors.ts';
import type { Comparison } from './bcrypt-thread.ts';

interface Waiting extends Comparison {
  readonly resolve: (right: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** Each brings no more at once than it may guess (`Guesses`). At a usual cost one of each takes a few seconds; clients wait for longer. */
const mostClients = 16;

export class Bcrypt {
  /** Started when the first one comes: most have no passwords to check. */
  #worker: Worker | undefined;
  /** By client, whose turn it is first. The first of his is with the thread. */
  readonly #lines = new Map<string, readonly Waiting[]>();

  readonly compare: CompareHash = (password, hash, client) => {
    const line = this.#lines.get(client) ?? [];
    if (line.length === 0 && this.#lines.size >= mostClients) return Promise.reject(tooMany());
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const isFree = this.#lines.size === 0;
    this.#lines.set(client, [...line, { password, hash, resolve, reject }]);
    if (isFree) this.#ask();
    return promise;
  };

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #ask(): void {
    const [line] = this.#lines.values();
    if (line?.[0] === undefined) return;
    const [{ password, hash }] = line;
    this.#worker ??= this.#start();
    this.#worker.postMessage({ password, hash } satisfies Comparison, []);
  }

  /** Who has more waits behind all others. */
  #answered(right: boolean): void {
    const [turn] = this.#lines;
    if (turn === undefined) return;
    const [client, [done, ...more]] = turn;
    this.#lines.delete(client);
    if (more.length > 0) this.#lines.set(client, more);
    done?.resolve(right);
    this.#ask();
  }

  #start(): Worker {
    // Its garbage is small and short-lived; by default it would be let grow as the main thread's is.
    const worker = new Worker(new URL('./bcrypt-thread.ts', import.meta.url), {
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    worker.unref();
    worker.on('message', (right: boolean) => this.#answered(right));
    let broken = new Error('the thread that checks passwords has ended');
    worker.on('error', (error: Error) => (broken = error));
    worker.on('exit', () => {
      // Whoever comes next has another one.
      this.#worker = undefined;
      const waiting = [...this.#lines.values()].flat();
      this.#lines.clear();
      for (const { reject } of waiting) reject(broken);
    });
    return worker;
  }
}

function tooMany(): RegistryError {
  return new RegistryError('UNAVAILABLE', 'this mirror is checking too many passwords at the moment', {
    headers: { 'retry-after': '2' },
  });
}
