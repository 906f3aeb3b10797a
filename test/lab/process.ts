// Child processes of the lab: started by name, stopped by pid, never left behind.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { path } from './need.ts';

/** A port where nothing listens: whoever wants to leave the loopback is sent there. */
const nowhere = 'http://127.0.0.1:9';

/** What a program of the lab sees. Nothing of the machine's own settings, and no way out. */
export function environment(directory: string): Record<string, string> {
  const proxies = { HTTP_PROXY: nowhere, HTTPS_PROXY: nowhere, NO_PROXY: '127.0.0.0/8,localhost' };
  return { PATH: path, HOME: directory, TMPDIR: directory, XDG_RUNTIME_DIR: directory, LC_ALL: 'C.UTF-8', ...proxies };
}

export interface Options {
  /** Home, temporary files and working directory. */
  readonly directory: string;
  readonly env?: Readonly<Record<string, string>>;
}

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class Running {
  readonly #child: ChildProcess;
  readonly #name: string;
  #output = '';

  constructor(command: string, args: readonly string[], options: Options) {
    this.#name = command;
    const env = { ...environment(options.directory), ...options.env };
    this.#child = spawn(command, args, { cwd: options.directory, env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.#child);
    this.#child.on('exit', () => running.delete(this.#child));
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
      (stream as Socket | null)?.unref();
    }
    // What a failed test leaves running does not keep the test's own process from ending, and is killed with it.
    this.#child.unref();
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.#name} did not start`);
    return this.#child.pid;
  }
  /** Of both streams, so far. */
  get output(): string {
    return this.#output;
  }
  get exited(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Asks again and again until `ask` no longer throws. Throws when the process ends or the time is up. */
  async until<T>(what: string, ask: () => Promise<T>, seconds = 30): Promise<T> {
    for (const end = Date.now() + seconds * 1000; ;) {
      try {
        return await ask();
      } catch (error) {
        const over = this.exited || Date.now() > end;
        if (over) throw new Error(`${this.#name}: no ${what}\n${this.#output}`, { cause: error });
        await delay(20);
      }
    }
  }

  /** The code with which it ended; the signal's name if one ended it, as SIGKILL does when it takes too long. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    this.#child.kill(signal);
    if (!this.exited) await once(this.#child, 'exit');
    clearTimeout(late);
    return this.#child.exitCode ?? this.#child.signalCode ?? 'unknown';
  }
}

/** Runs a program to its end; what it wrote to both streams. Throws with all of that if it fails. */
export async function run(command: string, args: readonly string[], options: Options): Promise<string> {
  const env = { ...environment(options.directory), ...options.env };
  const child = spawn(command, args, { cwd: options.directory, env, timeout: 60_000, killSignal: 'SIGKILL' });
  running.add(child);
  child.stdin.end();
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  running.delete(child);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}\n${output}`);
  return output;
}

/** Throws if nobody listens there. */
export async function knock(host: string, port: number): Promise<void> {
  const socket = connect(port, host);
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

/** For programs that cannot tell which port they were given. */
export async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Bytes of memory that a process has taken at its highest. */
export async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
