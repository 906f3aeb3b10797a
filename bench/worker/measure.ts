// What a request costs the Worker: CPU time of the workerd process, less what a Worker takes that does nothing.
// On Cloudflare's free plan a request may take 10 ms; here the time of workerd's own I/O threads is in it too.
import { startEdge, startWorker } from '../../test/worker/edge.ts';
import { atOnce, costOf } from './cost.ts';
import type { Kind } from './kind.ts';
import { kindsWithLogins, settingsAt } from './logins.ts';
import { blobDigest, manifestOf, startUpstream } from './upstream.ts';

const requests = Number(process.argv[2] ?? 10_000);

const once = manifestOf('library/once');
const blobAt = (name: string, size: number) => `/v2/${name}/blobs/${blobDigest(size)}`;
const kinds: readonly Kind[] = [
  { name: 'ping', target: () => '/v2/' },
  { name: 'refused: no such registry', target: () => '/v2/a/manifests/b?ns=nothing.example' },
  { name: 'HEAD of a tag, asked upstream', method: 'HEAD', target: (at) => `/v2/head/r${at}/manifests/latest` },
  { name: 'manifest by tag: HEAD, GET and hash', target: (at) => `/v2/tag/r${at}/manifests/latest` },
  { name: 'manifest by digest, remembered', target: () => `/v2/library/once/manifests/${once.digest}` },
  { name: 'HEAD of a blob, asked upstream', method: 'HEAD', target: (at) => blobAt(`stat/r${at}`, 1000) },
  { name: 'blob of 1 kB, cold, and kept', target: (at) => blobAt(`cold/r${at}`, 1000) },
  { name: 'the same, redirected', target: (at) => blobAt(`moved/r${at}`, 1000) },
  { name: 'a range of one, cold', target: (at) => blobAt(`part/r${at}`, 1000), headers: { range: 'bytes=100-' } },
  { name: 'a range of 1 MB, cold', target: (at) => blobAt(`part/s${at}`, 1 << 20), headers: { range: 'bytes=1-' } },
  { name: 'blob of 1 kB, warm', target: () => blobAt('library/once', 1000) },
  { name: 'a range of it, warm', target: () => blobAt('library/once', 1000), headers: { range: 'bytes=100-' } },
  { name: 'HEAD of a blob, warm', method: 'HEAD', target: () => blobAt('library/once', 1000) },
];

const upstream = await startUpstream();
const idle = await startWorker("export default { fetch: () => new Response('{}') };");
const nothing = await costOf(idle.url, { name: 'nothing', target: () => '/' }, requests);
await idle.close();

// Miniflare's cache runs in the same process and would be most of every figure; this one costs next to nothing.
const around = `import mirror from './mirror.js';
const kept = new Map();
const cache = {
  match: async ({ url, headers }) => {
    const found = kept.get(url);
    if (found === undefined || !headers.has('range')) return found && new Response(found.bytes, { headers: found.headers });
    const [from] = /\\d+/.exec(headers.get('range'));
    const last = found.bytes.length - 1;
    const told = { ...found.headers, 'content-range': \`bytes \${from}-\${last}/\${last + 1}\`, 'content-length': String(last + 1 - from) };
    return new Response(found.bytes.subarray(from), { status: 206, headers: told });
  },
  put: async (url, given) => void kept.set(url, { bytes: await given.bytes(), headers: Object.fromEntries(given.headers) }),
  delete: async (url) => kept.delete(url),
};
caches.open = async () => cache;
export default mirror;`;

const { registries, ...settings } = await settingsAt(upstream.url);
const edge = await startEdge(
  { ...settings, registries: { ...registries, 'docker.io': { endpoints: [upstream.url] } } },
  { around },
);
console.log(
  `${requests} requests of each kind, ${atOnce} at once; a Worker that does nothing: ${nothing.toFixed(2)} ms\n`,
);
for (const kind of [...kinds, ...(await kindsWithLogins(upstream.url))]) {
  const ms = (await costOf(edge.url, kind, requests)) - nothing;
  console.log(`${kind.name.padEnd(40)} ${ms.toFixed(2).padStart(6)} ms`);
}
await edge.close();
upstream.close();
