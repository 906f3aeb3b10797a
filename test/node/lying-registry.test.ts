// A registry that answers 200 to every HEAD, beside another one's private images: it opens none of them by their digests.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { basic, key } from '../conformance/door.ts';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { Gate } from '../fakes/registry/gate.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { openApp } from './real-app.ts';

const layer = layerOf(randomBytes(9, 50_000));
const item = image({ layers: [layer] });

async function startLiar() {
  const server = createServer(({ method, url = '' }, reply) => {
    const manifest = { 'content-type': item.mediaType, 'docker-content-digest': item.digest };
    const isThere = method === 'HEAD' || url === '/v2/';
    reply.writeHead(isThere ? 200 : 404, url.includes('/manifests/') ? manifest : { 'content-length': 50_000 }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

for (const shows of [undefined, 'Bearer anything']) {
  for (const isRunning of [false, true]) {
    it(`gets nothing that is ${isRunning ? 'coming in' : 'here'} with ${shows ?? 'no login'}`, async () => {
      const hub = await startRegistry();
      hub.hold('acme/secret', item, '1');
      const logins = { 'owner:swordfish': ['acme/secret'] };
      hub.levers.token = { expiresIn: 300, private: ['acme/secret'], logins };
      const liar = await startLiar();
      const face = await openApp({
        key,
        access: 'open',
        catalogue: false,
        hosts: { 'hub.example': 'docker.io', 'liar.host': 'liar.example' },
        registries: { 'docker.io': { endpoints: [hub.url], login: 'own' }, 'liar.example': { endpoints: [liar.url] } },
      });
      const ask = (host: string, target: string, authorization?: string) =>
        face.request({ method: 'GET', target, headers: { host, ...(authorization && { authorization }) } });
      const scope = 'service=docker.io&scope=repository:acme/secret:pull';
      const told = await ask('hub.example', `/token?${scope}`, basic('owner'));
      const { token } = JSON.parse(Buffer.from(told.body).toString()) as { token: string };
      const gate = new Gate();
      if (isRunning) hub.levers.stall = { after: 30_000, gate, digest: layer.digest };
      await ask('hub.example', '/v2/acme/secret/manifests/1', `Bearer ${token}`);
      const own = ask('hub.example', `/v2/acme/secret/blobs/${layer.digest}`, `Bearer ${token}`);
      await (isRunning ? gate.reached() : own);
      assert.equal((await ask('liar.host', `/v2/x/y/blobs/${layer.digest}`, shows)).status, 404);
      assert.equal((await ask('liar.host', '/v2/x/y/manifests/any', shows)).status, 404);
      gate.open();
      assert.equal((await own).status, 200);
      await face.close();
      await hub.down();
      liar.server.closeAllConnections();
      liar.server.close();
    });
  }
}
