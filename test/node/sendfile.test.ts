// The real app with a layer at rest: it goes out by sendfile where that can be had and nobody forbids it, and the metrics tell.
import assert from 'node:assert/strict';
import { buffer, text } from 'node:stream/consumers';
import { test } from 'node:test';
import { randomBytes } from '../fakes/registry/bytes.ts';
import { image, layerOf } from '../fakes/registry/content.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { ways } from './http/ways.ts';
import { start } from './reloading.ts';

const layer = layerOf(randomBytes(1, 3_000_000));
const blob = `/v2/lab.example/app/blobs/${layer.digest}`;
const counter = /^sampan_served_by_sendfile_bytes_total\{registry="lab.example"\} (\d+)$/m;

for (const allowed of [true, false]) {
  test(`a layer at rest goes out ${allowed ? 'by sendfile' : 'through buffers, where that is forbidden'}`, async (t) => {
    const registry = await startRegistry();
    t.after(() => registry.down());
    registry.hold('app', image({ layers: [layer] }), '1');
    const registries = { 'lab.example': { endpoints: [registry.url] } };
    const { get, status, reload, lines } = await start(t, { registries, sendfile: allowed });
    assert.equal(await status('/v2/lab.example/app/manifests/1'), 200);
    const expected = Buffer.from(layer.bytes.read(0, layer.bytes.size));
    assert.ok((await buffer(await get(blob))).equals(expected));
    for (let hit = false; !hit;) {
      const again = await get(blob);
      // Whoever is served while it is being stored has joined the download.
      hit = again.headers['cache-status'] === 'sampan; hit';
      assert.ok((await buffer(again)).equals(expected));
    }

    const poured = Number(counter.exec(await text(await get('/metrics')))?.[1]);
    assert.equal(poured > 0, allowed && ways.length > 1);
    await reload({ registries, sendfile: !allowed });
    assert.match(lines.at(-1) ?? '', /sendfile: changes at the next start/);
  });
}
