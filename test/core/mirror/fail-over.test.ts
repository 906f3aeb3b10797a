// A blob of two endpoints, of which one goes wrong in the middle: the other brings the rest, and clients see nothing of it.
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, layerOf } from '../../fakes/registry/content.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { startRegistry } from '../../fakes/registry/registry.ts';
import { collect, minute, second, world } from './world.ts';

const MB = 1_000_000;
const bytes = randomBytes(11, 4 * MB);
const layer = layerOf(bytes);
const path = `/v2/library/two/blobs/${layer.digest}`;
/** So small that it always comes over one connection. */
const few = randomBytes(12, 200_000);
const small = layerOf(few);
const smallPath = `/v2/library/two/blobs/${small.digest}`;

async function two(limit?: number) {
  const other = await startRegistry();
  after(() => other.down());
  const all = await world({ beside: [other], ...(limit !== undefined && { limit }) });
  for (const registry of [all.registry, other]) registry.hold('library/two', image({ layers: [layer, small] }), '1');
  await all.get('/v2/library/two/manifests/1');
  all.asked();
  return { ...all, other };
}

describe('an endpoint', () => {
  it('that stalls in the middle is left for the other after stall_after, and is asked last from then on', async () => {
    const { registry, other, start, clock, settled, asked } = await two();
    const gate = new Gate();
    registry.levers.stall = { after: MB, gate };
    const { body } = await start(path);
    assert.ok(body.kind === 'stream');
    const began = clock.now();
    let got = 0;
    for await (const chunk of body.stream) {
      assert.ok(bytes.subarray(got, got + chunk.length).equals(chunk));
      got += chunk.length;
      // All that has come has been read: from here on the upstream is waited for.
      if (got === MB) setImmediate(() => clock.forward(10 * second));
    }
    assert.equal(got, bytes.length);
    assert.ok(clock.now() - began < 11 * second);
    await settled();
    assert.deepEqual(asked(), [`GET ${path}`]);
    assert.ok(other.log.some(({ headers }) => headers.range?.startsWith(`bytes=${MB}-`)));
    gate.open();
  });

  it('that breaks off again and again takes turns with the other, without a wait in between', async () => {
    const { registry, other, get, clock, asked } = await two();
    for (const { levers } of [registry, other]) levers.breakOff = { after: 20_000, times: 3 };
    const began = clock.now();
    assert.ok((await get(smallPath)).body.equals(few));
    assert.equal(asked().length + other.log.filter(({ path: of }) => of === smallPath).length, 7);
    assert.equal(clock.now() - began, 100 + 500 + 1000);
  });

  for (const what of ['all', 'last'] as const) {
    it(`that lies (${what}) is asked last for that blob: the client’s next attempt is served by the other`, async () => {
      const { registry, start, get, settled, asked, events, clock } = await two();
      registry.levers.lie = { bytes: what, digest: layer.digest };
      await assert.rejects(start(path).then(collect), { status: 502 });
      await settled();
      clock.forward(second);
      asked();
      assert.ok((await get(path)).body.equals(bytes));
      assert.deepEqual(asked(), []);
      const aside = events.filter((event) => event.kind === 'aside');
      assert.deepEqual(aside, [{ kind: 'aside', endpoint: registry.url, digest: layer.digest, ms: undefined }]);
    });
  }

  it('that lies and has not brought all is found out: the next fills take their bytes from one alone', async () => {
    const { registry, other, start, get, settled, asked } = await two();
    other.levers.lie = { bytes: 'all', digest: layer.digest };
    registry.levers.breakOff = { after: MB, times: 1 };
    await assert.rejects(start(path).then(collect), { status: 502 });
    await settled();
    asked();
    assert.ok((await get(path)).body.equals(bytes));
    assert.ok(asked().includes(`GET ${path}`));
    assert.deepEqual(other.log.filter(({ path: of }) => of === path).length, 1);
  });

  it('that contradicts the other about the size is suspected with it, and the rest comes from who told it first', async () => {
    const { registry, other, get, asked } = await two();
    registry.levers.breakOff = { after: 100_000, times: 1 };
    other.levers.bend = () => ({ claims: few.length - 1 });
    assert.ok((await get(smallPath)).body.equals(few));
    assert.equal(asked().length, 2);
  });

  it('that lies past the store is asked last for that blob, too', async () => {
    const { registry, other, start, asked } = await two(2 * MB);
    registry.levers.lie = { bytes: 'last', digest: layer.digest };
    await assert.rejects(start(path).then(collect), { status: 502 });
    asked();
    other.log.length = 0;
    assert.ok((await start(path).then(collect)).body.equals(bytes));
    assert.deepEqual([asked().length, other.log.length], [0, 1]);
  });

  it('two of whose manifests do not match is asked last for everything from then on', async () => {
    const { registry, other, get, asked, clock } = await two();
    for (const seed of [12, 13]) {
      const item = image({ layers: [layerOf(randomBytes(seed, 10))] });
      for (const each of [registry, other]) each.hold('library/two', item);
      registry.levers.lie = { bytes: 'all', digest: item.digest };
      assert.equal((await get(`/v2/library/two/manifests/${item.digest}`)).status, 200);
    }
    asked();
    clock.forward(2 * minute);
    assert.equal((await get('/v2/library/two/manifests/1')).status, 200);
    assert.deepEqual(asked(), []);
  });

  it('that has a page for a blob that nobody knows is asked first by everybody else', async () => {
    const { registry, get, asked } = await two();
    registry.levers.answers.push(answer.html(/blobs\/sha256:cd/));
    assert.equal((await get(`/v2/library/two/blobs/sha256:${'cd'.repeat(32)}`)).status, 404, 'by the other one');
    asked();
    assert.equal((await get(path)).status, 200);
    assert.deepEqual(asked(), [`GET ${path}`]);
  });
});
