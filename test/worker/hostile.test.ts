// How much an upstream can make one request of the Worker ask for: never as much as Cloudflare's free plan ends a request at.
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { test } from 'node:test';
import { serve } from '../core/upstream/bench.ts';
import { operationsOf, waiting } from './behind.ts';
import { errorOf, startEdge } from './edge.ts';

/** Subrequests of one request, on the free plan. */
const limit = 50;
/** What the Worker takes of that for upstreams; the rest is its cache's. */
const most = 30;

/** Leads everybody around in circles as long as they follow, wants a token and then stumbles. */
function hostile(log: string[]): (request: IncomingMessage, response: ServerResponse) => void {
  let tokens = 0;
  return ({ url = '', headers: { host, authorization } }, response) => {
    log.push(url);
    const { pathname, searchParams } = new URL(url, 'http://upstream');
    const hop = Number(searchParams.get('hop'));
    if (pathname === '/token') {
      tokens += 1;
      if (tokens % 3 !== 0) response.writeHead(503).end();
      else response.end(JSON.stringify({ token: 'x', expires_in: 300 }));
    } else if (hop < 5) {
      response.writeHead(307, { location: `${pathname}?hop=${hop + 1}` }).end();
    } else if (authorization === undefined) {
      response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${host}/token",service="x"` }).end();
    } else {
      response.writeHead(503).end();
    }
  };
}

test('upstreams that lead in circles, want tokens and stumble do not make a request exceed its subrequests', async (t) => {
  const log: string[] = [];
  const upstreams = [await serve(hostile(log)), await serve(hostile(log)), await serve(hostile(log))];
  const endpoints = upstreams.map(({ url }) => url);
  const edge = await startEdge({ access: 'open', registries: { 'docker.io': { endpoints } } }, { around: waiting() });
  t.after(() => edge.close());
  const blob = `sha256:${'a'.repeat(64)}`;
  const asked = { 'of/tag': 'manifests/latest', 'of/blob': `blobs/${blob}`, 'of/list': 'tags/list' };
  // One after the other: the cache's operations are counted for each.
  for (const [name, what] of Object.entries(asked)) {
    const refused = await edge.get(`/v2/${name}/${what}`);
    assert.ok(refused.status >= 500, String(refused.status));
    assert.equal(errorOf(refused).code, 'UNAVAILABLE');
    const count = log.filter((url) => decodeURIComponent(url).includes(name)).length;
    const operations = operationsOf(refused);
    t.diagnostic(`${what}: ${count} subrequests and ${operations} to the cache`);
    assert.ok(count <= most && count + operations < limit, `${what}: ${count} and ${operations}`);
  }
  assert.doesNotMatch(edge.log.join('\n'), /bug/);
});
