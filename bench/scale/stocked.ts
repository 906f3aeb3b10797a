// sampan before a data directory that was stocked, and what is asked of it there.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../test/lab/process.ts';
import { Sampan } from '../../test/lab/sampan.ts';
import { costOf } from '../parts/cost.ts';
import { timed } from '../rounds.ts';
import { askScattered } from './scattered.ts';
import { fileOf, size } from './stock.ts';

/** Milliseconds between two looks at how far it is. */
const look = 20;

export class Stocked {
  readonly #sampan: Sampan;
  readonly #directory: string;
  readonly #origin: string;
  readonly #blobs: number;

  /** `blobs`: how many it was stocked with. */
  static async before(directory: string, origin: string, blobs: number): Promise<Stocked> {
    const probe = { NODE_OPTIONS: `--import ${new URL('probe.ts', import.meta.url).href}` };
    return new Stocked(new Sampan(directory, await freePort('127.0.0.1'), probe), directory, origin, blobs);
  }

  private constructor(sampan: Sampan, directory: string, origin: string, blobs: number) {
    this.#sampan = sampan;
    this.#directory = directory;
    this.#origin = origin;
    this.#blobs = blobs;
  }

  async #allow(blobs: number): Promise<void> {
    const more = { data: join(this.#directory, 'data'), storage: { limit: `${(blobs * size) / 1e6}MB` } };
    await this.#sampan.configure(
      { 'docker.io': { endpoints: [this.#origin] } },
      { ...more, log: { level: 'error' }, stop_within: '1s' },
    );
  }

  /** Seconds from the start of the process to its first answer. */
  async start(): Promise<number> {
    await this.#allow(2 * this.#blobs);
    const seconds = await timed(() => this.#sampan.start());
    // That of the start is another question.
    await this.longestPause();
    return seconds;
  }

  /** Bytes of those that were used last, which no eviction takes. */
  scattered(seconds: number): ReturnType<typeof askScattered> {
    return askScattered(this.#sampan.url, this.#directory, this.#blobs / 2, this.#blobs - 1, seconds);
  }

  /** Seconds. */
  async evict(count: number): Promise<number> {
    const before = await this.#held();
    await this.longestPause();
    return timed(async () => {
      await this.#allow(before - count);
      process.kill(this.#sampan.pid, 'SIGHUP');
      while ((await this.#held()) > before - count) await delay(look);
    });
  }

  /**
   * It is killed, and a blob taken away that is looked at among the last, and that nobody asks for. `count`: seconds until that was found.
   */
  async crash(): Promise<{ readonly start: number; readonly count: number }> {
    await this.#sampan.kill();
    let last = this.#blobs / 2 - 1;
    while (!fileOf(last).startsWith('blobs/sha256/ff')) last -= 1;
    await rm(join(this.#directory, 'data', fileOf(last)));
    const start = await this.start();
    const count = await timed(async () => {
      // The start has been counting already.
      for (const held = this.#blobs; (await this.#held()) >= held;) await delay(look);
    });
    return { start, count };
  }

  /** Milliseconds for which the event loop stood still since this was asked last. */
  async longestPause(): Promise<number> {
    const told = () => [...this.#sampan.output.matchAll(/^longest pause ([\d.]+) ms$/gm)];
    const before = told().length;
    process.kill(this.#sampan.pid, 'SIGUSR2');
    while (told().length === before) await delay(look);
    return Number(told().at(-1)?.[1]);
  }

  /** MB at the highest since the start. */
  async memory(): Promise<number | undefined> {
    return (await costOf(this.#sampan.pid)).memory;
  }

  stop(): Promise<void> {
    return this.#sampan.stop();
  }

  async #held(): Promise<number> {
    const answer = await fetch(`${this.#sampan.url}/_sampan/status.json`);
    return ((await answer.json()) as { storage: { blobs: number } }).storage.blobs;
  }
}
