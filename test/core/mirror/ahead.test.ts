// What comes of an image before its client asks for it: the layers behind the one that it pulls, and nothing for whoever looks only.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { type Item, image, layerOf } from '../../fakes/registry/content.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { collect, minute, world } from './world.ts';

const layers = [1, 2, 3, 4, 5, 6].map((seed) => layerOf(randomBytes(seed, 1000 + seed)));
const [first, second, third, fourth, fifth, sixth] = layers.map(({ digest }) => digest) as [
  string,
  string,
  string,
  string,
  string,
  string,
];
const item = image({ layers });
const config = item.blobs[0]!.digest;
const at = (digest: string) => `/v2/app/blobs/${digest}`;

/** `app:1` with six layers in a registry, and its manifest sent. */
async function pulled(options: Parameters<typeof world>[0] = {}, more: Readonly<Record<string, Item>> = {}) {
  const all = await world({ ahead: { flights: 3, bytes: 1e6 }, ...options });
  for (const [tag, each] of Object.entries({ 1: item, ...more })) {
    all.registry.hold('library/app', each, tag);
    await all.get(`/v2/app/manifests/${tag}`);
  }
  all.asked();
  /** Of the layers, those that the registry was asked for, in order. */
  const fetched = () => all.asked().map((line) => line.replace('GET /v2/library/app/blobs/', ''));
  /** Resolves when so many layers are in the store, and nothing else has begun after a while. */
  const stored = async (count: number) => {
    const isLayer = (digest: string) => layers.some((layer) => layer.digest === digest);
    const done = () => all.events.filter((event) => event.kind === 'stored' && isLayer(event.digest)).length;
    while (done() < count) await all.settled().then(() => setImmediate());
    for (let turn = 0; turn < 20; turn += 1) await all.store.blobs.stat(config as never);
    for (let turn = 0; turn < 20; turn += 1) await setImmediate();
    await all.settled();
    assert.equal(done(), count);
  };
  return { ...all, fetched, stored };
}

/** In any order: what begins at the same moment may be asked for in any. */
function same(fetched: readonly string[], expected: readonly string[]): void {
  assert.deepEqual(fetched.toSorted(), expected.toSorted());
}

describe('the layers of an image that is pulled', () => {
  it('come one after the other, each once, and the client then gets them from the store', async () => {
    const { get, stored, fetched, events } = await pulled({ ahead: { flights: 1, bytes: 1e6 } });
    await get(at(config));
    assert.equal((await get(at(first))).headers['cache-status'], 'sampan; fwd=miss; stored');
    await stored(6);
    assert.deepEqual(
      fetched().slice(1),
      layers.map(({ digest }) => digest),
    );
    for (const { digest, bytes } of layers.slice(1)) {
      const told = await get(at(digest));
      assert.equal(told.headers['cache-status'], 'sampan; hit');
      assert.ok(told.body.equals(bytes.read(0, bytes.size)));
      await get(at(digest));
    }
    assert.deepEqual(fetched(), []);
    assert.equal(events.filter((event) => event.kind === 'fill' && event.ahead).length, 5);
    assert.equal(events.filter((event) => event.kind === 'foreseen').length, 5);
  });

  it('come when the first is here already, or joined', async () => {
    const { get, stored, fetched, registry } = await pulled({}, { 2: image({ layers: [layers[0]!] }) });
    const gate = new Gate();
    registry.levers.stall = { after: 10, gate, digest: first };
    const joined = Promise.all([get(at(first)), get(at(first))]);
    await gate.reached();
    gate.open();
    await joined;
    await stored(1);
    assert.deepEqual(fetched(), [first], 'another image has this layer too, and perhaps it is that one');
    await get(at(second));
    await stored(6);
    same(fetched(), [second, third, fourth, fifth, sixth]);
  });

  it('come for an open range from the first byte on, even if the client breaks off when it has a part', async () => {
    const { start, stored, fetched } = await pulled();
    const client = new AbortController();
    const reply = await start(at(first), { range: 'bytes=0-', signal: client.signal });
    client.abort();
    await collect(reply);
    await stored(6);
    assert.equal(fetched().length, 6);
  });

  it('are at most so many at once, with those that clients asked for', async () => {
    const { get, stored, fetched, registry } = await pulled();
    const gate = new Gate();
    registry.levers.stall = { after: 10, gate };
    const one = get(at(first));
    await gate.reached(3);
    const two = get(at(fourth));
    await gate.reached(4);
    // A client never waits for a place.
    same(fetched(), [first, second, third, fourth]);
    gate.open();
    await Promise.all([one, two]);
    await stored(6);
    assert.equal(fetched().length, 2);
  });

  it('before the one that is asked for do not come: the client has them, or asks by itself', async () => {
    const { get, stored, fetched } = await pulled();
    await get(at(fourth));
    await stored(3);
    same(fetched(), [fourth, fifth, sixth]);
  });

  it('are begun no more when the client breaks off, until somebody asks again', async () => {
    const { start, get, stored, fetched, registry } = await pulled();
    const gate = new Gate();
    registry.levers.stall = { after: 10, gate };
    const client = new AbortController();
    const reply = collect(await start(at(first), { signal: client.signal }));
    await gate.reached(3);
    client.abort();
    gate.open();
    await reply;
    await stored(3);
    same(fetched(), [first, second, third]);
    await get(at(third));
    await stored(6);
    same(fetched(), [fourth, fifth, sixth]);
  });

  it('are looked for once in ten minutes, and not with every client', async () => {
    const { get, stored, fetched, store, clock } = await pulled();
    await get(at(first));
    await stored(6);
    fetched();
    await store.blobs.delete(fourth as never);
    await get('/v2/app/manifests/1');
    await get(at(first));
    await stored(6);
    assert.deepEqual(fetched(), []);
    clock.forward(10 * minute);
    await get('/v2/app/manifests/1');
    fetched();
    await get(at(first));
    await stored(7);
    assert.deepEqual(fetched(), [fourth]);
  });
});

describe('nothing comes ahead', () => {
  it('for whoever looks only: manifest, config, HEAD, ranges, what he has', async () => {
    const { get, head, stored, fetched } = await pulled();
    await get('/v2/app/manifests/1');
    await get(at(config));
    await head(at(first));
    for (const range of ['bytes=0-99', 'bytes=100-', 'bytes=-100']) await get(at(first), { range });
    await get(at(first), { ifNoneMatch: `"${first}"` });
    await stored(1);
    assert.deepEqual(new Set(fetched().slice(1)), new Set([`HEAD /v2/library/app/blobs/${first}`, first]));
  });

  it('if it is switched off', async () => {
    const { get, stored, fetched } = await pulled({ ahead: { flights: 0, bytes: 1e6 } });
    await get(at(first));
    await stored(1);
    assert.deepEqual(fetched(), [first]);
  });

  it('for a layer whose manifest nobody was sent, or not for ten minutes', async () => {
    const { get, stored, fetched, restart, clock } = await pulled();
    await restart();
    await get(at(first));
    await stored(1);
    assert.deepEqual(fetched(), [first]);
    await get('/v2/app/manifests/1');
    clock.forward(10 * minute);
    fetched();
    await get(at(first));
    await stored(1);
    assert.deepEqual(fetched(), []);
  });

  it('with a login of the client', async () => {
    const { get, fetched } = await pulled();
    const authorization = 'Bearer mine';
    await get('/v2/app/manifests/1', { authorization });
    fetched();
    await get(at(first), { authorization });
    assert.deepEqual(
      fetched().filter((each) => !each.startsWith('HEAD')),
      [first],
    );
  });

  it('while the upstream limits us', async () => {
    const { get, stored, fetched, registry } = await pulled();
    await get(at(sixth));
    await stored(1);
    registry.levers.answers.push({ ...answer.tooMany(/library\/other/), times: 1 });
    registry.levers.answers.push({ ...answer.tooMany(/tags/), times: 1 });
    await get('/v2/app/tags/list');
    fetched();
    await get('/v2/app/manifests/1');
    // At rest, so the client gets it.
    assert.equal((await get(at(sixth))).status, 200);
    await stored(1);
    assert.deepEqual(fetched(), []);
  });

  it('after the first failure', async () => {
    const { get, stored, fetched, registry, events } = await pulled({ ahead: { flights: 1, bytes: 1e6 } });
    registry.drop('library/app', third);
    await get(at(first));
    while (!events.some((event) => event.kind === 'fill-failed')) await setImmediate();
    await stored(2);
    assert.deepEqual(fetched(), [first, second, third]);
  });

  it('for another repository, whose manifest nobody was sent', async () => {
    const { get, head, stored, registry, asked } = await pulled();
    registry.hold('library/other', image({ layers: [layers[0]!] }), '1');
    await head('/v2/other/manifests/1');
    asked();
    await get(`/v2/other/blobs/${first}`);
    await stored(1);
    assert.deepEqual(asked(), [`GET /v2/library/other/blobs/${first}`]);
  });
});
