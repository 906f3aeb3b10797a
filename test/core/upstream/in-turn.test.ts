// Several accounts at one registry, and nobody in particular: who is asked with first, and who comes next.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Asker, anonymous, ours, oursOfPublic } from '../../../src/core/access/caller.ts';
import { bench, manifestDigest, repository, send, sendManifest, serve, signal } from './bench.ts';

const byDigest = { repository, target: manifestDigest };

/** What each gets; `left`: of a hundred. */
interface Standing {
  left?: number;
  status?: number;
  retryAfter?: string;
  /** What the token service refuses it with. */
  wrong?: number;
  /** Of which repository alone all this is so. */
  only?: string;
}

/** A registry with a token service, at which we have the accounts a and b. */
async function registryOf(standings: Partial<Record<'a' | 'b' | 'nobody', Standing>>) {
  const standing = (name: string): Standing => standings[name as 'a'] ?? {};
  const origin = await serve((request, response) => {
    const { authorization = '' } = request.headers;
    if (request.url?.startsWith('/token') === true) {
      const [name = ''] = Buffer.from(authorization.replace('Basic ', ''), 'base64').toString().split(':');
      const { wrong } = standing(name);
      if (wrong !== undefined) {
        refused.push(name);
        return send(response, wrong);
      }
      return send(response, 200, {}, JSON.stringify({ token: name === '' ? 'nobody' : name, expires_in: 300 }));
    }
    const [, name] = /^Bearer (\w+)$/.exec(authorization) ?? [];
    if (name === undefined) {
      return send(response, 401, { 'www-authenticate': `Bearer realm="${origin.url}/token",service="s"` });
    }
    asked.push(name);
    const { only, ...all } = standing(name);
    const { left, status = 200, retryAfter } = request.url?.includes(only ?? '') === true ? all : {};
    const told = left !== undefined && { 'ratelimit-limit': '100;w=3600', 'ratelimit-remaining': `${left};w=3600` };
    const headers = { ...told, ...(retryAfter !== undefined && { 'retry-after': retryAfter }) };
    if (status === 200) return sendManifest(request, response, headers);
    send(response, status, headers);
  });
  const asked: string[] = [];
  const refused: string[] = [];
  const credentials = ['a', 'b'].map((username) => ({ username, password: 'x' }));
  const all = bench({ endpoints: [origin.url], credentials });
  const get = (as: Asker, name = repository.name) =>
    all.upstream.manifest({ ...byDigest, repository: { ...repository, name } }, as, signal);
  return { ...all, standings, get, asked: () => asked.splice(0), refused: () => refused.splice(0) };
}

describe('who has most left is asked with first', () => {
  test('and who has told no limit before all others; nobody in particular comes last', async () => {
    const r = await registryOf({ a: { left: 10 }, b: { left: 40 }, nobody: { left: 90 } });
    for (let times = 0; times < 4; times += 1) assert.ok(await r.get(oursOfPublic));
    assert.deepEqual(r.asked(), ['a', 'b', 'nobody', 'nobody']);
    r.standings.nobody = { left: 20 };
    for (let times = 0; times < 2; times += 1) assert.ok(await r.get(oursOfPublic));
    assert.deepEqual(r.asked(), ['nobody', 'b']);
    delete r.standings.b;
    r.clock.forward(3_600_000);
    for (let times = 0; times < 3; times += 1) assert.ok(await r.get(oursOfPublic));
    assert.deepEqual(r.asked(), ['a', 'b', 'b']);
  });

  test('and what there is left is what that one has', async () => {
    const r = await registryOf({ a: { left: 10 }, b: { left: 40 }, nobody: { left: 5 } });
    await r.get(anonymous);
    assert.equal(r.upstream.allowance(repository), undefined);
    await r.get(ours);
    await r.get(ours);
    assert.deepEqual(r.upstream.allowance(repository), { share: 0.4, window: 3_600_000 });
    assert.deepEqual(
      r.upstream.budgets().map(({ payer, told }) => [payer.credentials?.username, told?.remaining]),
      [
        [undefined, 5],
        ['a', 10],
        ['b', 40],
      ],
    );
  });
});

describe('who has nothing left', () => {
  test('hands over to the next, and is not asked with until then', async () => {
    const r = await registryOf({ a: { status: 429, retryAfter: '60' } });
    for (let times = 0; times < 2; times += 1) assert.ok(await r.get(oursOfPublic));
    assert.deepEqual(r.asked(), ['a', 'b', 'b']);
    r.clock.forward(61_000);
    r.standings.a = {};
    assert.ok(await r.get(oursOfPublic));
    assert.deepEqual(r.asked(), ['a']);
    assert.ok(!r.events.some(({ kind }) => kind === 'aside'));
  });

  test('leaves what is public to be asked for in nobody’s name, and nothing else', async () => {
    const spent = { status: 429, retryAfter: '60' };
    const r = await registryOf({ a: spent, b: spent });
    assert.ok(await r.get(oursOfPublic));
    assert.deepEqual(r.asked(), ['a', 'b', 'nobody']);
    // Who is the first to have something again is asked all the same, for he did not say that it is all.
    await assert.rejects(r.get(ours), { status: 429 });
    assert.deepEqual(r.asked(), ['a']);
  });

  test('is told to the client when it is so of all, with when the first of them may have something again', async () => {
    const r = await registryOf({
      a: { status: 429, left: 0, retryAfter: '60' },
      b: { status: 429, left: 0, retryAfter: '30' },
      nobody: { left: 0 },
    });
    assert.ok(await r.get(oursOfPublic));
    r.asked();
    await assert.rejects(r.get(oursOfPublic), { status: 429, headers: { 'retry-after': '30' } });
    assert.deepEqual(r.asked(), []);
  });

  test('while nobody in particular has nothing left, nothing is proven in the name of an account', async () => {
    const r = await registryOf({ nobody: { left: 0 } });
    await r.get(anonymous);
    await assert.rejects(r.get(anonymous), { status: 429 });
    await assert.rejects(r.upstream.resolve(byDigest, anonymous, signal), { status: 429 });
    assert.deepEqual(r.asked(), ['nobody']);
  });
});

describe('what one account may not have', () => {
  for (const status of [401, 403, 404]) {
    test(`another one may: ${status}`, async () => {
      const r = await registryOf({ a: { status } });
      assert.ok(await r.get(ours));
      const shown = r.asked();
      assert.deepEqual([shown[0], shown.at(-1)], ['a', 'b']);
    });
  }

  test('is not there, if all say so', async () => {
    const r = await registryOf({ a: { status: 404 }, b: { status: 404 } });
    assert.equal(await r.get(ours), undefined);
    assert.deepEqual(r.asked(), ['a', 'b']);
  });

  test('is asked for once, if what is public is not there', async () => {
    const r = await registryOf({ a: { status: 404 } });
    assert.equal(await r.get(oursOfPublic), undefined);
    assert.deepEqual(r.asked(), ['a']);
  });

  test('a wrong password is one account’s trouble; of all it is ours', async () => {
    const r = await registryOf({ a: { wrong: 401 } });
    assert.ok(await r.get(ours));
    assert.deepEqual(r.asked(), ['b']);
    const all = await registryOf({ a: { wrong: 401 }, b: { wrong: 401 } });
    await assert.rejects(all.get(ours), { status: 502 });
    assert.ok(await all.get(oursOfPublic));
    assert.deepEqual(all.asked(), ['nobody']);
  });
});

describe('an account that is not taken', () => {
  const refusals = { 'whose password is wrong': { wrong: 401 }, 'that is denied what is public': { status: 403 } };
  for (const [what, standing] of Object.entries(refusals)) {
    test(`is asked with after everybody else, for a while: ${what}`, async () => {
      const r = await registryOf({ a: standing });
      for (let times = 0; times < 20; times += 1) assert.ok(await r.get(oursOfPublic));
      assert.equal([...r.asked(), ...r.refused()].filter((name) => name === 'a').length, 1);
      r.standings.a = {};
      r.clock.forward(301_000);
      assert.ok(await r.get(oursOfPublic));
      assert.deepEqual(r.asked(), ['a']);
    });

    test(`has no part in what is left: ${what}`, async () => {
      const r = await registryOf({ a: standing, b: { left: 10 }, nobody: { left: 40 } });
      for (let times = 0; times < 2; times += 1) assert.ok(await r.get(oursOfPublic));
      assert.ok(await r.get(anonymous));
      assert.deepEqual(r.upstream.allowance(repository), { share: 0.4, window: 3_600_000 });
    });

    test(`does not make another one’s 429 for one repository one for all: ${what}`, async () => {
      const r = await registryOf({ a: standing, b: { status: 429, retryAfter: '900', only: 'team/one' } });
      await assert.rejects(r.get(ours, 'team/one'), { status: 429 });
      assert.ok(await r.get(ours, 'team/two'));
      assert.equal(r.asked().at(-1), 'b');
    });
  }

  test('is not one that its token service denies what is not public', async () => {
    const r = await registryOf({ a: { wrong: 403 } });
    assert.ok(await r.get(ours));
    assert.ok(await r.get(ours));
    assert.deepEqual(
      [r.refused(), r.asked()],
      [
        ['a', 'a'],
        ['b', 'b'],
      ],
    );
  });

  test('is asked with for what only accounts may have, once nobody else may', async () => {
    const r = await registryOf({ a: { wrong: 401 }, b: { status: 404 } });
    assert.equal(await r.get(ours), undefined);
    assert.deepEqual([r.refused(), r.asked()], [['a'], ['b']]);
    r.standings.a = {};
    assert.ok(await r.get(ours));
    assert.deepEqual(r.asked(), ['b', 'a']);
  });
});
