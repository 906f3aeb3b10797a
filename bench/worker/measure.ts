// What a request costs the Worker: CPU time of the workerd process, less what a Worker takes that does nothing.
// On Cloudflare's free plan a request may take 10 ms; here the time of workerd's own I/O threads is in it too.
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { type Edge, startEdge, startWorker } from '../../test/worker/edge.ts';
import { blobDigest, manifestOf, startUpstream } from './upstream.ts';

const requests = Number(process.argv[2] ?? 10_000);
const atOnce = 8;
/** Of the kernel's clock, on every Linux. */
const ticksPerSecond = 100;

interface Kind {
  readonly name: string;
  /** GET if there is none. */
  readonly method?: string;
  /** Of the `at`th request. */
  readonly target: (at: number) => string;
}

const once = manifestOf('library/once');
const kinds: readonly Kind[] = [
  { name: 'ping', target: () => '/v2/' },
  { name: 'refused: no such registry', target: () => '/v2/a/manifests/b?ns=nothing.example' },
  { name: 'HEAD of a tag, asked upstream', method: 'HEAD', target: (at) => `/v2/head/r${at}/manifests/latest` },
  { name: 'manifest by tag: HEAD, GET and hash', target: (at) => `/v2/tag/r${at}/manifests/latest` },
  { name: 'manifest by digest, remembered', target: () => `/v2/library/once/manifests/${once.digest}` },
  { name: 'HEAD of a blob', method: 'HEAD', target: () => `/v2/library/once/blobs/${blobDigest(1000)}` },
  { name: 'blob of 1 kB', target: () => `/v2/library/once/blobs/${blobDigest(1000)}` },
  { name: 'blob of 1 kB, redirected', target: () => `/v2/moved/once/blobs/${blobDigest(1000)}` },
  { name: 'blob of 1 MB', target: () => `/v2/library/once/blobs/${blobDigest(1 << 20)}` },
];

const upstream = await startUpstream();
const idle = await startWorker("export default { fetch: () => new Response('{}') };");
const nothing = await cost(idle, { name: 'nothing', target: () => '/' });
await idle.close();

const edge = await startEdge({ access: 'open', registries: { 'docker.io': { endpoints: [upstream.url] } } });
console.log(
  `${requests} requests of each kind, ${atOnce} at once; a Worker that does nothing: ${nothing.toFixed(2)} ms\n`,
);
for (const kind of kinds) {
  const ms = (await cost(edge, kind)) - nothing;
  console.log(`${kind.name.padEnd(40)} ${ms.toFixed(2).padStart(6)} ms`);
}
await edge.close();
upstream.close();

/** Milliseconds of CPU a request. */
async function cost(worker: Edge, kind: Kind): Promise<number> {
  // Until it has compiled what it runs.
  await run(worker, kind, Math.min(500, requests), requests);
  const before = cpu();
  await run(worker, kind, requests, 0);
  return ((cpu() - before) * 1000) / requests;
}

async function run({ url }: Edge, { method = 'GET', target }: Kind, count: number, from: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  let at = from;
  const one = async () => {
    while (at < from + count) await ask(agent, url, method, target(at++));
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  agent.destroy();
}

function ask(agent: Agent, { hostname, port }: URL, method: string, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asking = request({ agent, hostname, port, method, path }, (answer) => {
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
