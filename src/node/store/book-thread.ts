// The way to the book's thread: requests are sent in batches, each batch is one transaction, and trouble is told but never thrown.
import { Worker } from 'node:worker_threads';
import type { Report } from '../../core/mirror/events.ts';
import type { Clock } from '../../core/mirror/ports.ts';
import type { BookTables } from './book-tables.ts';

type Operation = Exclude<keyof BookTables, 'transact' | 'found'>;

export interface Request {
  readonly method: Operation;
  readonly parameters: readonly unknown[];
}
export type Answer = { readonly value: unknown } | { readonly error: unknown };
/** The thread's first message. `bad`: why the book that was there had to be put aside. */
export interface Opened {
  readonly bytes: number;
  readonly blobs: number;
  readonly clean: boolean;
  readonly bad: unknown;
}

interface Waiting extends Request {
  readonly resolve: (answer: Answer) => void;
}

/** A book that fails says so, but not with every request. */
const troubleEvery = 60_000;

export class BookThread {
  readonly opened: Opened;
  readonly #worker: Worker;
  readonly #report: Report;
  readonly #clock: Clock;
  #queue: Waiting[] = [];
  #sent: Waiting[] = [];
  #dead: { readonly error: unknown } | undefined;
  #troubleAt = -Infinity;
  #troubled = false;

  /** Rejects if there is no book and none can be made. */
  static async open(path: string, clock: Clock, report: Report): Promise<BookThread> {
    const workerData = { path, now: clock.now() };
    const worker = new Worker(new URL('./book-worker.ts', import.meta.url), {
      workerData,
      // Its garbage is small and short-lived; by default it would be let grow as the main thread's is.
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    const opened = await new Promise<Opened>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    return new BookThread(worker, opened, clock, report);
  }

  private constructor(worker: Worker, opened: Opened, clock: Clock, report: Report) {
    this.#worker = worker;
    this.opened = opened;
    this.#clock = clock;
    this.#report = report;
    worker.removeAllListeners('error');
    worker.on('message', (answers: readonly Answer[]) => this.#settle(answers));
    worker.on('error', (error) => this.#die(error));
    worker.on('exit', () => this.#die(new Error("the book's thread has ended")));
  }

  /** Something was not written: what is in the book may not be what is on disk. */
  get troubled(): boolean {
    return this.#troubled;
  }

  /** Undefined if the book fails; then a `trouble` event tells why. Requests are carried out in the order in which they were made. */
  async ask<M extends Operation>(
    method: M,
    ...parameters: Parameters<BookTables[M]>
  ): Promise<ReturnType<BookTables[M]> | undefined> {
    const answer = await this.#enqueue(method, parameters);
    if ('value' in answer) return answer.value as ReturnType<BookTables[M]>;
    this.#complain(method, answer.error);
    return undefined;
  }

  #enqueue(method: Operation, parameters: readonly unknown[]): Promise<Answer> {
    if (this.#dead !== undefined) return Promise.resolve(this.#dead);
    return new Promise((resolve) => {
      this.#queue.push({ method, parameters, resolve });
      if (this.#queue.length === 1 && this.#sent.length === 0) queueMicrotask(() => this.#send());
    });
  }

  /** One batch under way at a time: what is asked meanwhile makes up the next. */
  #send(): void {
    if (this.#dead !== undefined || this.#sent.length > 0 || this.#queue.length === 0) return;
    this.#sent = this.#queue;
    this.#queue = [];
    this.#worker.postMessage(
      this.#sent.map(({ method, parameters }) => ({ method, parameters }) satisfies Request),
      [],
    );
  }

  #settle(answers: readonly Answer[]): void {
    const sent = this.#sent;
    this.#sent = [];
    for (const [index, answer] of answers.entries()) sent[index]?.resolve(answer);
    this.#send();
  }

  #die(error: unknown): void {
    this.#dead ??= { error };
    const waiting = [...this.#sent, ...this.#queue];
    this.#sent = [];
    this.#queue = [];
    for (const { resolve } of waiting) resolve(this.#dead);
  }

  #complain(doing: string, error: unknown): void {
    this.#troubled = true;
    const now = this.#clock.now();
    if (now - this.#troubleAt < troubleEvery) return;
    this.#troubleAt = now;
    this.#report({ kind: 'trouble', where: 'book', doing, error });
  }

  /** `clean`: the ledger is what is on disk, so the next start need not look. Nothing may be asked afterwards. */
  async close(clean: boolean): Promise<void> {
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve));
    if (this.#dead !== undefined) return;
    await this.ask('close', clean && !this.#troubled);
    await exited;
  }
}
