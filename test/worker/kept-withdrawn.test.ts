// What one isolate has noticed counts for the others too, also when nobody else can be asked any more.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { answer } from '../fakes/registry/levers.ts';
import { startRegistry } from '../fakes/registry/registry.ts';
import { elsewhere, operationsOf, waiting } from './behind.ts';
import { startEdge } from './edge.ts';
import { imageOf } from './kept-world.ts';

/** In this Worker it is as late as the request says. */
const late = `{
  const { now } = Date;
  let shift = 0;
  Date.now = () => now() + shift;
  globalThis.set = (request) => void (shift = 60_000 * Number(request.headers.get('x-minutes')));
}`;

async function twoIsolates(t: TestContext) {
  const hub = await startRegistry();
  const around = waiting().replace('operations = 0;\n    const', 'operations = 0;\n    set(request);\n    const');
  const registries = { 'docker.io': { endpoints: [hub.url] } };
  const edge = await startEdge({ access: 'open', registries }, { around, before: late });
  t.after(() => Promise.all([edge.close(), hub.down()]));
  const at = (minutes: number, path: string, headers = {}, method = 'GET') =>
    edge.ask({ method, target: `/v2/x/${path}`, headers: { ...headers, 'x-minutes': String(minutes) } });
  return { hub, at };
}

test('a repository that one isolate has found closed is closed in all, when it is next looked at', async (t) => {
  const { hub, at } = await twoIsolates(t);
  const { item, layer } = imageOf('closed elsewhere');
  hub.hold('library/x', item);
  const blob = `blobs/${layer.digest}`;
  for (const headers of [{}, elsewhere]) {
    await at(0, blob, headers);
    assert.equal((await at(0, blob, headers)).headers['cache-status'], 'sampan; hit');
  }
  hub.levers.answers = [answer.unauthorized(/./)];
  assert.equal((await at(20, blob)).status, 401);
  hub.levers.answers = [answer.unavailable(/./)];
  for (const minutes of [21, 60, 600]) assert.equal((await at(minutes, blob, elsewhere)).status, 503);
});

test('to look at what others know costs one use of the cache, and spares what they have asked already', async (t) => {
  const { hub, at } = await twoIsolates(t);
  const { item, layer } = imageOf('asked already');
  hub.hold('library/x', item);
  const blob = `blobs/${layer.digest}`;
  for (const headers of [{}, {}, elsewhere]) await at(0, blob, headers);
  for (const [headers, questions, uses] of [
    [{}, 1, 5],
    [elsewhere, 0, 3],
    [elsewhere, 0, 2],
  ] as const) {
    hub.log.length = 0;
    const found = await at(20, blob, headers);
    assert.equal(found.headers['cache-status'], 'sampan; hit');
    assert.deepEqual([hub.log.length, operationsOf(found)], [questions, uses]);
  }
});

test('a tag that one isolate has seen move has moved in all, when it is next looked at', async (t) => {
  const { hub, at } = await twoIsolates(t);
  const [first, second] = [imageOf('first'), imageOf('second')];
  hub.hold('library/x', first.item, 'latest');
  assert.ok((await at(0, 'manifests/latest')).body.equals(first.item.body));
  hub.hold('library/x', second.item, 'latest');
  assert.ok((await at(10, 'manifests/latest', elsewhere)).body.equals(second.item.body));
  hub.levers.answers = [answer.unavailable(/./)];
  for (const headers of [{}, elsewhere]) {
    const found = await at(20, 'manifests/latest', headers);
    assert.equal(found.headers['cache-status'], 'sampan; hit; detail=stale');
    assert.ok(found.body.equals(second.item.body));
  }
});

describe('a blob that was kept in another size than the upstream tells when it is next asked', () => {
  async function keepOther(t: TestContext) {
    const { hub, at } = await twoIsolates(t);
    const { item, layer, bytes } = imageOf('another size');
    hub.hold('library/x', item);
    const blob = `blobs/${layer.digest}`;
    const body = 'somebody in between says hello';
    hub.levers.answers = [{ path: /blobs/, method: 'GET', status: 200, headers: {}, body, times: 2 }];
    for (const headers of [{}, elsewhere]) assert.equal((await at(0, blob, headers)).body.toString(), body);
    return { blob, bytes, at };
  }

  test('is replaced, and in no isolate shown again', async (t) => {
    const { blob, bytes, at } = await keepOther(t);
    for (const [headers, told] of [
      [{}, 'fwd=miss; stored'],
      [{}, 'hit'],
      // This one still has its own word for what was proven, and takes the upstream's of now.
      [elsewhere, 'fwd=miss; stored'],
      [elsewhere, 'hit'],
    ] as const) {
      const found = await at(20, blob, headers);
      assert.equal(found.headers['cache-status'], `sampan; ${told}`);
      assert.ok(found.body.equals(bytes));
    }
  });

  test('is not shown to who asks for less than the whole either', async (t) => {
    const { blob, bytes, at } = await keepOther(t);
    for (const _ of [1, 2]) {
      assert.equal((await at(20, blob, {}, 'HEAD')).headers['content-length'], String(bytes.length));
      assert.ok((await at(20, blob, { range: 'bytes=5-9' })).body.equals(bytes.subarray(5, 10)));
    }
  });
});
