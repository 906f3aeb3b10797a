// The way to the book's thread: requests are sent in batches, each batch is one transaction, and trouble is told but never thrown.
import type { Worker } from 'node:worker_threads';
import type { Report } from '../../core/mirror/events.ts';
import type { Clock } from '../../core/mirror/ports.ts';
import { type Opened, reading, startBook } from './book-start.ts';
import type { BookTables } from './book-tables.ts';

type Operation = Exclude<keyof BookTables, 'transact' | 'found' | 'abandon'>;

export interface Request {
  readonly method: Operation;
  readonly parameters: readonly unknown[];
}
/** `code`: SQLite's, which an error loses between threads. */
export type Answer = { readonly value: unknown } | { readonly error: unknown; readonly code?: number | undefined };

interface Waiting extends Request {
  readonly resolve: (answer: Answer) => void;
}

/** Milliseconds before a book that has ended is opened again: the first time, and at most. */
const shortestPause = 1000;
const longestPause = 60_000;
/** Requests: what is asked behind them waits for no more than those. */
const largestBatch = 500;
/** Opened again and again in vain, it is put aside. */
const patience = 3;

export class BookThread {
  opened: Opened;
  /** Called when it has ended and was opened again: it may be another one, and has missed what was written meanwhile. */
  renewed: () => void = () => undefined;
  readonly #path: string;
  readonly #report: Report;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  /** Undefined: it has ended. */
  #worker: Worker | undefined;
  #end: unknown;
  #renewing: Promise<void> | undefined;
  readonly #queue: Waiting[] = [];
  #sent: Waiting[] = [];
  #openedAt = 0;
  #ends = 0;
  #troubled = false;
  /** `writing`: that it can be read does not end it. */
  #failing: 'no' | 'writing' | 'any' = 'no';
  /** It ends because we want it to. */
  #replaced = false;

  /** Rejects if there is no book and none can be made. */
  static async open(path: string, clock: Clock, report: Report, prepared?: Worker): Promise<BookThread> {
    const { worker, opened } = await startBook({ path, now: clock.now(), patient: true }, prepared);
    return new BookThread(path, worker, opened, clock, report);
  }

  private constructor(path: string, worker: Worker, opened: Opened, clock: Clock, report: Report) {
    this.#path = path;
    this.#clock = clock;
    this.#report = report;
    this.opened = opened;
    this.#adopt(worker, opened);
  }

  #adopt(worker: Worker, opened: Opened): void {
    this.#worker = worker;
    this.#openedAt = this.#clock.now();
    this.opened = opened;
    this.#end = new Error("the book's thread has ended");
    worker.on('message', (answers: readonly Answer[]) => this.#settle(answers));
    worker.on('error', (error) => (this.#end = error));
    // Not before: it must have let go of the file.
    worker.on('exit', () => this.#ended());
    if (opened.bad !== undefined) this.#tell('opening it; a new one is begun', opened.bad);
  }

  /** Undefined if the book fails; then a `trouble` event tells why. Requests are carried out in the order in which they were made. */
  async ask<M extends Operation>(
    method: M,
    ...parameters: Parameters<BookTables[M]>
  ): Promise<ReturnType<BookTables[M]> | undefined> {
    const answer = await this.#enqueue(method, parameters);
    if ('value' in answer) return answer.value as ReturnType<BookTables[M]>;
    // That it has ended was told.
    if (this.#worker !== undefined) this.#complain(method, answer);
    return undefined;
  }

  #enqueue(method: Operation, parameters: readonly unknown[]): Promise<Answer> {
    if (this.#worker === undefined) return Promise.resolve({ error: this.#end });
    return new Promise((resolve) => {
      this.#queue.push({ method, parameters, resolve });
      if (this.#queue.length === 1 && this.#sent.length === 0) queueMicrotask(() => this.#send());
    });
  }

  /** One batch under way at a time: what is asked meanwhile makes up the next. */
  #send(): void {
    if (this.#worker === undefined || this.#sent.length > 0 || this.#queue.length === 0) return;
    this.#sent = this.#queue.splice(0, largestBatch);
    this.#worker.postMessage(
      this.#sent.map(({ method, parameters }) => ({ method, parameters }) satisfies Request),
      [],
    );
  }

  #settle(answers: readonly Answer[]): void {
    const sent = this.#sent;
    this.#sent = [];
    for (const [index, answer] of answers.entries()) sent[index]?.resolve(answer);
    const well = this.#failing !== 'no' && answers.every((answer) => 'value' in answer);
    if (well && (this.#failing === 'any' || sent.some(({ method }) => !reading.has(method)))) this.#recover();
    this.#send();
  }

  #ended(): void {
    this.#worker = undefined;
    const answer = { error: this.#end };
    for (const { resolve } of [...this.#sent.splice(0), ...this.#queue.splice(0, largestBatch)]) resolve(answer);
    if (this.#closing.signal.aborted) return;
    this.#troubled = true;
    if (!this.#replaced) this.#tell('keeping it open; it will be opened again', this.#end);
    this.#replaced = false;
    this.#renewing = this.#renew();
  }

  /** Never rejects. One that ends again and again is given more and more time. */
  async #renew(): Promise<void> {
    const { signal } = this.#closing;
    if (this.#clock.now() - this.#openedAt > 10 * longestPause) this.#ends = 0;
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      this.#ends += 1;
      const pause = Math.min(longestPause, shortestPause * 2 ** (this.#ends - 1));
      await this.#clock.sleep(pause, signal).catch(() => undefined);
      if (signal.aborted) return;
      try {
        const patient = attempt <= patience;
        const { worker, opened } = await startBook({ path: this.#path, now: this.#clock.now(), patient });
        this.#adopt(worker, opened);
        this.renewed();
        return;
      } catch (error) {
        this.#tell('opening it again', error);
      }
    }
  }

  /** What is at its path is not what is open, as somebody has told already. It is opened anew, in a moment. */
  renew(): void {
    if (this.#worker === undefined) return;
    this.#replaced = true;
    void this.#worker.terminate();
  }

  #complain(method: Operation, { error, code }: Extract<Answer, { error: unknown }>): void {
    if (code !== undefined && error instanceof Error) Object.assign(error, { errcode: code });
    this.#troubled = true;
    const isReading = reading.has(method);
    if (!isReading) this.#failing = 'writing';
    this.#tell(isReading ? 'reading from it' : 'writing to it', error);
  }

  #tell(doing: string, error: unknown): void {
    if (this.#failing === 'no') this.#failing = 'any';
    this.#report({ kind: 'trouble', where: 'book', doing, error });
  }

  #recover(): void {
    this.#failing = 'no';
    this.#report({ kind: 'recovered', where: 'book' });
  }

  /** `clean`: the ledger is what is on disk, so the next start need not look. Nothing may be asked afterwards. */
  async close(clean: boolean): Promise<void> {
    this.#closing.abort(new Error('the book is being closed'));
    await this.#renewing;
    const worker = this.#worker;
    if (worker === undefined) return;
    const exited = new Promise((resolve) => worker.once('exit', resolve));
    await this.ask('close', clean && !this.#troubled);
    await exited;
  }
}
