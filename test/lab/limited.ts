// A gate before a registry that counts GETs of manifests as Docker Hub does: it tells what is left, and lets no more through.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

/** Seconds: longer than any test. */
const window = 21_600;

export interface Limited {
  readonly url: string;
  /** GETs of manifests: those that were let through, and those that were not. */
  readonly counted: { passed: number; refused: number };
  close(): Promise<void>;
}

export async function startLimited(registry: string, limit: number): Promise<Limited> {
  const counted = { passed: 0, refused: 0 };
  const headers = (): OutgoingHttpHeaders => ({
    'ratelimit-limit': `${limit};w=${window}`,
    'ratelimit-remaining': `${limit - counted.passed};w=${window}`,
    'docker-ratelimit-source': '203.0.113.7',
  });
  const answer = (asked: IncomingMessage, response: ServerResponse) => {
    const isManifest = /^\/v2\/.+\/manifests\//.test(asked.url ?? '');
    if (isManifest && asked.method === 'GET') {
      if (counted.passed === limit) return refuse(response);
      counted.passed += 1;
    }
    const passed = request(`${registry}${asked.url}`, { method: asked.method, headers: asked.headers });
    passed.on('error', () => response.destroy());
    passed.on('response', (answered) => {
      response.writeHead(answered.statusCode ?? 502, { ...answered.headers, ...(isManifest && headers()) });
      pipeline(answered, response, () => {});
    });
    passed.end();
  };
  function refuse(response: ServerResponse): void {
    counted.refused += 1;
    response.writeHead(429, { 'content-type': 'application/json', ...headers() });
    response.end(JSON.stringify({ errors: [{ code: 'TOOMANYREQUESTS', message: 'You have reached your limit.' }] }));
  }
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    counted,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
