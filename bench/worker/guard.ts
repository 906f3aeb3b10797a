// What the guard costs a request: CPU time of workerd with it, beside that of one that does nothing, and of one that only passes on.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { bundled } from '../../test/worker/edge.ts';
import { cfHeader, startWorkerd } from '../../test/worker/workerd.ts';
import { costOf } from './cost.ts';

const requests = Number(process.argv[2] ?? 10_000);

const origin = createServer((_, response) => void response.end('{}')).listen(0, '127.0.0.1');
await once(origin, 'listening');
const host = `127.0.0.1:${(origin.address() as AddressInfo).port}`;

const secret = 'x'.repeat(32);
const workers = {
  'a Worker that does nothing': "export default { fetch: () => new Response('{}') };",
  'a Worker that passes everything on': 'export default { fetch: (request) => fetch(request) };',
  'the guard': await bundled('guard'),
};
console.log(`${requests} requests each; CPU of the whole workerd process`);
for (const [name, script] of Object.entries(workers)) {
  const worker = await startWorkerd(script, { SAMPAN_CONFIG: {}, EDGE_SECRET: secret });
  const headers = { host, [cfHeader]: '{"tlsVersion":"TLSv1.3","tlsCipher":"AEAD-AES128-GCM-SHA256"}' };
  const kind = { name, target: () => '/', headers };
  const ms = await costOf(new URL(`http://127.0.0.1:${worker.port}`), kind, requests);
  console.log(`${name.padEnd(40)} ${ms.toFixed(3).padStart(7)} ms`);
  await worker.close();
}
origin.close();
