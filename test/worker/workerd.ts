// A Worker in workerd alone, without miniflare, whose own Worker would stand between this one and its origin.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { deployed } from './edge.ts';

const require = createRequire(import.meta.url);
// It has no types.
const { default: program } = require('workerd') as { readonly default: string };

export interface Workerd {
  readonly port: number;
  readonly pid: number;
  close(): Promise<void>;
}

/** `cf` of a request: as JSON in this header, which the Worker does not see. */
export const cfHeader = 'cf-blob';

/** `variables`: text, or what is bound as JSON. What the Worker fetches goes to whoever its URL names, as does what it passes through. */
export async function startWorkerd(
  script: string,
  variables: Readonly<Record<string, unknown>> = {},
): Promise<Workerd> {
  const directory = await mkdtemp(join(tmpdir(), 'sampan-workerd-'));
  await writeFile(join(directory, 'worker.js'), script);
  const bindings = await Promise.all(
    Object.entries(variables).map(async ([name, value]) => {
      const isText = typeof value === 'string';
      await writeFile(join(directory, name), isText ? value : JSON.stringify(value));
      return `(name = "${name}", ${isText ? 'text' : 'json'} = embed "${name}")`;
    }),
  );
  await writeFile(join(directory, 'config.capnp'), configOf(bindings));
  const child = spawn(program, ['serve', 'config.capnp', '--control-fd=3'], {
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const log = text(child.stderr as Readable);
  const [line] = (await Promise.race([
    once(createInterface({ input: child.stdio[3] as Readable }), 'line'),
    exited.then(async () => Promise.reject(new Error(`workerd did not start: ${await log}`))),
  ])) as [string];
  return {
    port: (JSON.parse(line) as { port: number }).port,
    pid: child.pid!,
    async close() {
      child.kill('SIGKILL');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function configOf(bindings: readonly string[]): string {
  const { compatibilityDate, compatibilityFlags } = deployed();
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "worker", worker = (
      modules = [(name = "worker.js", esModule = embed "worker.js")],
      compatibilityDate = "${compatibilityDate}",
      compatibilityFlags = ${JSON.stringify(compatibilityFlags)},
      bindings = [${bindings.join(', ')}],
    )),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (cfBlobHeader = "${cfHeader}"), service = "worker")],
);
`;
}
