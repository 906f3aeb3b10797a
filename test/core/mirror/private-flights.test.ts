// A fill that somebody's login began: who else gets its bytes, with whose login it goes on, and what its end tells to whom.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Reply } from '../../../src/core/mirror/reply.ts';
import { Gate } from '../../fakes/registry/gate.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { blob, bytes, elsewhere, item, layer, secretWorld, size } from './secret-image.ts';
import { collect } from './world.ts';

const half = size / 2;
const own = 'sampan; fwd=bypass';

/** Ann's pull has got as far as the middle, where the registry waits at the gate, and then breaks off. */
async function inTheMiddle(options: Parameters<typeof secretWorld>[0] = {}) {
  const all = await secretWorld({ lanes: 1, ...options });
  const gate = new Gate();
  all.registry.levers.stall = { after: half, gate };
  all.registry.levers.breakOff = { after: half, times: 1 };
  const ann = await all.token('ann');
  const leaving = new AbortController();
  const first = await all.start(blob, { authorization: ann, signal: leaving.signal });
  await gate.reached();
  all.shown();
  return { ...all, gate, ann, first, leaving };
}

async function assertWhole(reply: Reply | Promise<Reply>): Promise<void> {
  const told = await collect(await reply);
  assert.deepEqual([told.status, told.headers['cache-status']], [200, own]);
  assert.ok(told.body.equals(bytes));
}

describe('a fill that a login began', () => {
  it('is joined by whoever his own upstream admits, from wherever', async () => {
    const { gate, first, token, start, shown, flight, settled } = await inTheMiddle();
    const [ben, cat] = [await token('ben'), await token('cat', 'other/secret')];
    const others = [
      await start(blob, { authorization: ben }),
      await start(elsewhere, { authorization: cat }),
      await start(blob, { authorization: ben, range: `bytes=1-${size - 1}` }),
    ];
    assert.deepEqual(shown(), [
      { asked: `HEAD ${blob}`, authorization: ben },
      { asked: `HEAD ${elsewhere}`, authorization: cat },
    ]);
    const held = flight();
    assert.equal(held?.sources.size, 3);
    gate.open();
    await Promise.all([first, ...others.slice(0, 2)].map(assertWhole));
    await settled();
    await held?.landed;
    assert.equal(held?.sources.size, 0, 'no login outlives it, however slow a reader is');
    assert.equal((await collect(others[2] as Reply)).body.length, size - 1);
  });

  it('is nothing that anybody else could notice', async () => {
    const { gate, first, token, get, touched } = await inTheMiddle();
    const eve = await token('eve');
    touched();
    for (const path of [blob, elsewhere]) {
      assert.equal((await get(path, { authorization: eve })).status, 401);
      assert.equal((await get(path, { authorization: eve, range: 'bytes=0-9' })).status, 401);
    }
    assert.deepEqual(touched(), []);
    assert.equal((await get(blob)).status, 401);
    gate.open();
    await assertWhole(first);
  });

  it('goes on with another’s when what came by that one breaks off, be it good no longer', async () => {
    const { gate, ann, first, token, start, shown, registry } = await inTheMiddle();
    const ben = await token('ben');
    const second = await start(blob, { authorization: ben });
    registry.tokens.revoke(ann);
    gate.open();
    await Promise.all([first, second].map(assertWhole));
    assert.deepEqual(
      shown().map(({ authorization }) => authorization),
      [ben, ben],
    );
  });

  it('goes on with the login of who is still there when that one has left', async () => {
    const { gate, leaving, token, start, shown } = await inTheMiddle();
    const ben = await token('ben');
    const second = await start(blob, { authorization: ben });
    leaving.abort();
    gate.open();
    await assertWhole(second);
    assert.deepEqual(
      shown().map(({ asked, authorization }) => [asked.split(' ')[0], authorization]),
      [
        ['HEAD', ben],
        ['GET', ben],
      ],
    );
  });

  it('comes to its end even if nobody is left, and then is good for whoever may have it', async () => {
    const { gate, ann, leaving, settled, shown, token, get } = await inTheMiddle();
    leaving.abort();
    gate.open();
    await settled();
    assert.deepEqual(shown(), [{ asked: `GET ${blob}`, authorization: ann }]);
    const told = await get(blob, { authorization: await token('ben') });
    assert.deepEqual([told.status, told.headers['cache-status']], [200, `${own}; detail=kept`]);
  });

  it('fails when nobody is left who may, and its readers are cut off', async () => {
    const { gate, first, settled, registry } = await inTheMiddle();
    registry.tokens.revoke();
    gate.open();
    await assert.rejects(collect(first), { code: 'UNAUTHORIZED' });
    await settled();
  });

  it('gives its bytes to a public repository that proves to have them, and only that gets into the book', async () => {
    const { gate, first, registry, get, start, store, settled, asked } = await inTheMiddle();
    registry.hold('public/app', item, '1');
    await get('/v2/public/app/manifests/1');
    asked();
    const second = await start(`/v2/public/app/blobs/${layer.digest}`);
    assert.equal(second.headers['cache-status'], 'sampan; fwd=miss; collapsed');
    assert.deepEqual(asked(), [`HEAD /v2/public/app/blobs/${layer.digest}`]);
    gate.open();
    await assertWhole(first);
    assert.ok((await collect(second)).body.equals(bytes));
    await settled();
    const standing = (name: string) => store.book.standing({ registry: 'docker.io', name }, layer.digest as never);
    assert.deepEqual([(await standing('public/app'))?.size, await standing('acme/secret')], [size, undefined]);
  });
});

it('everybody hears his own refusal, and not what another asked for', async () => {
  const { token, get, registry, joined } = await secretWorld();
  const [ann, cat] = [await token('ann'), await token('cat', 'other/secret')];
  const gate = new Gate();
  const scope = 'repository:acme/secret:pull';
  const challenge = `Bearer realm="${registry.url}/token",service="fake registry",scope="${scope}"`;
  const { levers } = registry;
  levers.answers.push(
    { ...answer.denied(/other\/secret\/blobs/), method: 'GET' },
    {
      ...answer.unauthorized(/acme\/secret\/blobs/),
      method: 'GET',
      headers: { 'www-authenticate': challenge },
      gate,
    },
  );
  const first = get(blob, { authorization: ann });
  await gate.reached();
  const second = get(elsewhere, { authorization: cat });
  await joined(2);
  gate.open();
  const [mine, theirs] = [await first, await second];
  assert.deepEqual([mine.status, mine.headers['www-authenticate']], [401, challenge]);
  assert.deepEqual([theirs.status, theirs.headers['www-authenticate']], [403, undefined]);
});

it('a limit that one login has reached is nobody else’s', async () => {
  const { token, get, registry } = await secretWorld();
  const [ann, ben] = [await token('ann'), await token('ben')];
  registry.levers.answers.push({ ...answer.tooMany(/blobs/), method: 'GET', times: 1 });
  assert.equal((await get(blob, { authorization: ann })).status, 429);
  assert.equal((await get(blob, { authorization: ben })).status, 200);
});
