// A registry that counts: how many manifests pulls fetch, how long tags are believed, and what there is when nothing is left.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { image, index, type Item, layerOf } from '../../fakes/registry/content.ts';
import { answer } from '../../fakes/registry/levers.ts';
import { minute, second, type World, world } from './world.ts';

const newest = image({ layers: [layerOf(randomBytes(1, 2000))] });
const older = image({ layers: [layerOf(randomBytes(2, 2000))] });
const manifest = '/v2/library/x/manifests/latest';
const docker = { limits: { freeHeads: true } };

async function counting(limit: number, options: Parameters<typeof world>[0] = { entry: docker }): Promise<World> {
  const all = await world(options);
  all.registry.levers.counts = { limit, left: limit };
  return all;
}

/** Of the manifests, those that count. */
const counted = (all: World) => all.asked().filter((each) => /^GET .*\/manifests\//.test(each));

async function pull(all: World, item: Item, path = manifest): Promise<void> {
  assert.equal((await all.get(path)).status, 200);
  for (const child of item.children) await pull(all, child, `/v2/library/x/manifests/${child.digest}`);
  for (const { digest } of item.blobs) assert.equal((await all.get(`/v2/library/x/blobs/${digest}`)).status, 200);
  await all.settled();
}

describe('of what a registry counts', () => {
  for (const [what, item, most] of [
    ['an image', newest, 1],
    ['an image of two levels', index([newest]), 2],
  ] as const) {
    for (const lever of ['nothing else', 'no digest in heads', 'no HEAD', 'an account of ours'] as const) {
      it(`${what} costs ${most}, where there is ${lever}`, async () => {
        const credentials = lever === 'an account of ours' ? [{ username: 'a', password: 'x' }] : undefined;
        const all = await counting(100, { entry: { ...docker, credentials } });
        if (lever === 'no digest in heads') all.registry.levers.digestHeader = 'get only';
        if (lever === 'no HEAD') all.registry.levers.head = false;
        all.registry.hold('library/x', item, 'latest');
        await pull(all, item);
        assert.equal(counted(all).length, most);
        await pull(all, item);
        assert.deepEqual(counted(all), []);
      });
    }
  }

  it('one manifest is fetched once for many clients, by tag and by digest', async () => {
    const all = await counting(100);
    all.registry.hold('library/x', newest, 'latest');
    const paths = [manifest, `/v2/library/x/manifests/${newest.digest}`];
    const told = await Promise.all(Array.from({ length: 40 }, (_, at) => all.get(paths[at % 2]!)));
    assert.ok(told.every(({ status }) => status === 200));
    assert.equal(counted(all).length, 1);
  });
});

describe('the less is left, the longer a tag is believed', () => {
  for (const [left, ms] of [
    [100, minute],
    [50, minute],
    [25, minute * (1 + 14 / 4)],
    [0, 15 * minute],
  ] as const) {
    it(`with ${left} of 100 for ${ms / minute} minutes`, async () => {
      const all = await counting(100);
      all.registry.hold('library/x', newest, 'latest');
      all.registry.levers.counts = { limit: 100, left: left + 1 };
      await pull(all, newest);
      all.asked();
      all.clock.forward(ms - second);
      assert.equal((await all.get(manifest)).status, 200);
      assert.deepEqual(all.asked(), []);
      all.clock.forward(2 * second);
      assert.equal((await all.get(manifest)).status, 200);
      assert.deepEqual(all.asked(), [`HEAD ${manifest}`]);
    });
  }
});

describe('when nothing is left', () => {
  async function spent(options?: Parameters<typeof world>[0]): Promise<World> {
    const all = await counting(1, options);
    all.registry.hold('library/x', older, 'latest');
    await pull(all, older);
    all.registry.hold('library/x', newest, 'latest');
    all.clock.forward(20 * minute);
    all.asked();
    return all;
  }

  it('what has not moved is served as it is, for a look costs nothing', async () => {
    const all = await spent();
    all.registry.hold('library/x', older, 'latest');
    const told = await all.get(manifest);
    assert.deepEqual([told.status, told.headers['warning']], [200, undefined]);
    assert.deepEqual(all.asked(), [`HEAD ${manifest}`]);
  });

  for (const method of ['GET', 'HEAD'] as const) {
    it(`a tag that has moved is served as it was, and says so: ${method}`, async () => {
      const all = await spent();
      for (let times = 0; times < 5; times += 1) {
        const told = await all.get(manifest, { method });
        assert.deepEqual([told.status, told.headers['docker-content-digest']], [200, older.digest]);
        assert.match(String(told.headers['warning']), /limits the rate of requests; this is what it last had/);
      }
      assert.deepEqual(all.asked(), [`HEAD ${manifest}`]);
      all.registry.levers.counts = { limit: 100, left: 100 };
      all.clock.forward(minute);
      assert.equal((await all.get(manifest)).headers['docker-content-digest'], newest.digest);
    });
  }

  it('where a look costs something nobody looks', async () => {
    const all = await spent({});
    // Of six hours there are a quarter at most in which nobody finds out.
    assert.equal((await all.get(manifest)).headers['docker-content-digest'], older.digest);
    all.asked();
    for (let times = 0; times < 5; times += 1) assert.equal((await all.get(manifest)).status, 200);
    assert.deepEqual(all.asked(), []);
  });

  it('what is not here is a 429 with the time to come again, and nothing is asked for that counts', async () => {
    const all = await spent();
    all.registry.hold('library/x', newest, 'new');
    all.asked();
    // As containerd does it: the digest by HEAD, then five times by that.
    await all.head('/v2/library/x/manifests/new');
    for (let times = 0; times < 5; times += 1) {
      const told = await all.get(`/v2/library/x/manifests/${newest.digest}`);
      assert.deepEqual([told.status, told.code], [429, 'TOOMANYREQUESTS']);
      assert.ok(Number(told.headers['retry-after']) > 0);
      assert.match(told.text, /"limitedBy":"127\.0\.0\.1:\d+","source":"203\.0\.113\.7"/);
    }
    assert.ok(counted(all).length <= 1);
  });
});

describe('a 429 to a login', () => {
  const ask = (all: World, authorization: string, path = manifest) => all.get(path, { authorization });

  it('is remembered for it, for a moment, whatever it asks for, and for nobody else', async () => {
    const all = await world();
    all.registry.hold('library/x', newest, 'latest');
    all.registry.levers.answers.push({ ...answer.tooMany(/./), times: 1 });
    const paths = [manifest, `/v2/library/x/blobs/${newest.blobs[0]!.digest}`, '/v2/library/x/tags/list'];
    for (const path of [...paths, ...paths]) assert.equal((await ask(all, 'Bearer one', path)).status, 429);
    assert.equal(all.asked().length, 1);
    assert.equal((await ask(all, 'Bearer other')).status, 200);
    assert.equal((await all.get(manifest)).status, 200);
    all.clock.forward(3 * second);
    for (const path of paths) assert.equal((await ask(all, 'Bearer one', path)).status, 200);
  });

  it('of a blob, or a list, is remembered too', async () => {
    for (const path of [`/v2/library/x/blobs/${newest.blobs[0]!.digest}`, '/v2/library/x/tags/list']) {
      const all = await world();
      all.registry.hold('library/x', newest, 'latest');
      all.registry.levers.answers.push(answer.tooMany(/./));
      for (const authorization of ['Bearer one', undefined]) {
        const asking = authorization === undefined ? {} : { authorization };
        for (let times = 0; times < 5; times += 1) assert.equal((await all.get(path, asking)).status, 429);
        assert.equal(all.asked().length, 1);
      }
    }
  });
});
