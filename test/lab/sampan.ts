// sampan as people run it: `bin/sampan serve --config FILE`, in a process of its own.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, Running } from './process.ts';

const program = fileURLToPath(new URL('../../bin/sampan', import.meta.url));

export interface Upstreams {
  readonly [registry: string]: {
    readonly endpoints: readonly string[];
    readonly realms?: readonly string[];
    readonly redirects?: readonly string[];
    readonly fresh_for?: string;
    readonly stale_for?: string;
    readonly login?: string;
    readonly lanes?: number;
    readonly credentials?: Readonly<Record<string, string>>;
  };
}

export class Sampan {
  readonly url: string;
  readonly data: string;
  readonly #directory: string;
  readonly #file: string;
  readonly #env: Readonly<Record<string, string>>;
  #running: Running | undefined;

  /** `env`: what it is started with, beside the lab's. */
  constructor(directory: string, port: number, env: Readonly<Record<string, string>> = {}, scheme = 'http') {
    this.#env = env;
    this.url = `${scheme}://127.0.0.1:${port}`;
    this.data = join(directory, `data-${port}`);
    this.#directory = directory;
    this.#file = join(directory, `sampan-${port}.yaml`);
  }

  /** JSON is YAML. Counts from the next start. */
  async configure(registries: Upstreams, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const listen = new URL(this.url).host;
    await writeFile(this.#file, JSON.stringify({ listen, data: this.data, catalogue: false, registries, ...more }));
  }

  get pid(): number {
    return this.#process.pid;
  }
  get output(): string {
    return this.#process.output;
  }

  /** Asks again and again until `ask` no longer throws: some things come a moment after the answer. */
  async until(what: string, ask: () => Promise<void>): Promise<void> {
    await this.#process.until(what, ask);
  }

  async start(): Promise<void> {
    const running = new Running(program, ['serve', '--config', this.#file], {
      directory: this.#directory,
      env: this.#env,
    });
    this.#running = running;
    await running.until('readiness', async () => assert.equal((await fetch(`${this.url}/readyz`)).status, 200));
  }

  /** Throws if it does not end cleanly. */
  async stop(): Promise<void> {
    if (this.#running === undefined || this.#running.exited) return;
    assert.equal(await this.#running.stop(), 0, `sampan did not stop cleanly\n${this.output}`);
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async kill(): Promise<void> {
    await this.#process.stop('SIGKILL');
  }

  get #process(): Running {
    if (this.#running === undefined) throw new Error('sampan was not started');
    return this.#running;
  }
}

/** On a free port, with its data in `directory`. */
export async function startSampan(
  directory: string,
  registries: Upstreams,
  more: Readonly<Record<string, unknown>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Sampan> {
  const sampan = new Sampan(directory, await freePort('127.0.0.1'), env, more['tls'] === undefined ? 'http' : 'https');
  await sampan.configure(registries, more);
  await sampan.start();
  return sampan;
}
