// What one request costs a Worker: CPU time of the workerd that this process has started, over many of them.
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { Kind } from './kind.ts';

export const atOnce = 8;
/** Of the kernel's clock, on every Linux. */
const ticksPerSecond = 100;

/** Milliseconds of CPU a request. */
export async function costOf(worker: URL, kind: Kind, requests: number): Promise<number> {
  // Until it has compiled what it runs.
  await run(worker, kind, Math.min(500, requests), requests);
  const before = cpu();
  await run(worker, kind, requests, 0);
  return ((cpu() - before) * 1000) / requests;
}

async function run(worker: URL, kind: Kind, count: number, from: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  let at = from;
  const one = async () => {
    while (at < from + count) await ask(agent, worker, kind, kind.target(at++));
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  agent.destroy();
}

function ask(
  agent: Agent,
  { hostname, port }: URL,
  { method = 'GET', headers = {} }: Kind,
  path: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = request({ agent, hostname, port, method, path, headers }, (answer) => {
      if ((answer.statusCode ?? 500) >= 500) reject(new Error(`${path}: ${answer.statusCode}`));
      answer.once('error', reject).once('end', resolve).resume();
    });
    asking.once('error', reject).end();
  });
}

/** Seconds of CPU that the workerd below this process has taken. */
function cpu(): number {
  const own = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(statOf)
    .find((stat) => stat?.name === 'workerd' && stat.parent === process.pid);
  if (own === undefined) throw new Error('no workerd is running');
  return own.seconds;
}

function statOf(pid: string) {
  try {
    const [, name, rest = ''] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    const fields = rest.split(' ').map(Number);
    const [parent, user = 0, system = 0] = [fields[1], fields[11], fields[12]];
    return { name, parent, seconds: (user + system) / ticksPerSecond };
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}
