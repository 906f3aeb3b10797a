// What is left of what a registry allows: who is asked with, who is not asked in vain, and for how long.
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, test } from 'node:test';
import { anonymous } from '../../../src/core/access/caller.ts';
import { parseTag } from '../../../src/core/oci/reference.ts';
import type { Limits } from '../../../src/core/upstream/limits.ts';
import { bench, manifestDigest, repository, send, sendManifest, serve, signal } from './bench.ts';

const byTag = { repository, target: parseTag('latest') };
const byDigest = { repository, target: manifestDigest };
const other = { repository: { ...repository, name: 'library/other' }, target: manifestDigest };
const told = (remaining: number, limit = 100, window = 21_600) => ({
  'ratelimit-limit': `${limit};w=${window}`,
  'ratelimit-remaining': `${remaining};w=${window}`,
});
const second = 1000;
const minute = 60 * second;

/** A registry that says what `answer` says, and how often it was asked. */
async function registryThat(answer: (request: IncomingMessage, response: ServerResponse) => void, limits?: Limits) {
  const origin = await serve(answer);
  const all = bench({ endpoints: [origin.url], ...(limits && { limits }) });
  const asked = () => origin.log.splice(0).map(({ method }) => method);
  const refused = async (what = byDigest) => {
    const error = await all.upstream.manifest(what, anonymous, signal).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return error as { status: number; headers: Record<string, string>; detail: unknown; message: string } | undefined;
  };
  return { ...all, asked, refused, host: new URL(origin.url).host };
}

describe('nothing is left', () => {
  test('as the last answer told: the registry is not asked again, and the client hears who limits whom, and until when', async () => {
    const source = { 'docker-ratelimit-source': '203.0.113.7' };
    const r = await registryThat((request, response) => sendManifest(request, response, { ...told(0), ...source }));
    assert.equal(await r.refused(), undefined);
    assert.deepEqual(r.asked(), ['GET']);
    const error = await r.refused();
    assert.deepEqual(r.asked(), []);
    // 100 in six hours: one in 216 s, on the average.
    assert.deepEqual([error?.status, error?.headers], [429, { 'retry-after': '216' }]);
    assert.match(error?.message ?? '', /it counts the requests of 203\.0\.113\.7, 100 in 21600 s$/);
    assert.deepEqual(error?.detail, {
      limitedBy: r.host,
      source: '203.0.113.7',
      limit: 100,
      remaining: 0,
      window: 21_600,
    });
    await assert.rejects(r.upstream.resolve(byTag, anonymous, signal), { status: 429 });
    assert.deepEqual(r.asked(), []);
    assert.ok(!r.events.some(({ kind }) => kind === 'aside'));
  });

  test('when it may have renewed, one finds out, and the others wait for that', async () => {
    const r = await registryThat((request, response) => sendManifest(request, response, told(0)));
    await r.refused();
    r.clock.forward(217 * second);
    const found = await Promise.all([r.refused(), r.refused(other), r.refused(other)]);
    assert.deepEqual(
      found.map((error) => error?.status),
      [undefined, 429, 429],
    );
    assert.deepEqual(r.asked(), ['GET', 'GET']);
  });

  test('a HEAD is asked all the same where that costs nothing, and says when something is left again', async () => {
    let left = 0;
    const answer = (request: IncomingMessage, response: ServerResponse) => sendManifest(request, response, told(left));
    const r = await registryThat(answer, { freeHeads: true });
    await r.refused();
    await r.upstream.resolve(byTag, anonymous, signal);
    assert.equal((await r.refused())?.status, 429);
    assert.deepEqual(r.asked(), ['GET', 'HEAD']);
    left = 1;
    await r.upstream.resolve(byTag, anonymous, signal);
    assert.equal(await r.refused(), undefined);
    assert.deepEqual(r.asked(), ['HEAD', 'GET']);
  });

  test('what the registry does not count is asked for all the same', async () => {
    const free = (url = '') => url.includes('/library/other/');
    const r = await registryThat(
      (request, response) => sendManifest(request, response, free(request.url) ? {} : told(0)),
      { freeHeads: true },
    );
    await r.refused();
    await r.upstream.resolve(other, anonymous, signal);
    assert.equal(await r.refused(other), undefined);
    assert.equal((await r.refused())?.status, 429);
    assert.deepEqual(r.asked(), ['GET', 'HEAD', 'GET']);
  });

  test('blobs and lists go on', async () => {
    const r = await registryThat((request, response) =>
      request.url?.includes('/manifests/') === true
        ? sendManifest(request, response, told(0))
        : send(response, 200, { 'content-length': '0' }),
    );
    await r.refused();
    assert.ok(await r.upstream.stat(repository, manifestDigest, anonymous, signal));
  });

  test('a clock that is set back makes nobody wait', async () => {
    const r = await registryThat((request, response) => sendManifest(request, response, told(0)));
    await r.refused();
    r.clock.time -= 24 * 60 * minute;
    assert.equal(await r.refused(), undefined);
  });
});

describe('where a look costs as much as a fetch', () => {
  /** In half a day, of somebody who comes every ten seconds for the tag and then for what it is. */
  async function manifestsOf(limit: number, window: number): Promise<number> {
    let left = 0;
    let at = 0;
    const r = await registryThat((request, response) => {
      left = Math.min(limit, left + ((r.clock.now() - at) * limit) / window);
      at = r.clock.now();
      if (left < 1) return send(response, 429, told(0, limit, window / second));
      left -= 1;
      sendManifest(request, response, told(Math.floor(left), limit, window / second));
    });
    at = r.clock.now();
    let found = 0;
    for (let times = 0; times < 12 * 360; times += 1) {
      const looked = await r.upstream.resolve(byTag, anonymous, signal).catch(() => undefined);
      if (looked !== undefined && (looked.manifest !== undefined || (await r.refused()) === undefined)) found += 1;
      r.clock.forward(10 * second);
    }
    return found;
  }

  for (const [limit, window, least] of [
    [10, 10 * minute, 600],
    [10, 360 * minute, 15],
  ] as const) {
    test(`the last of it goes into manifests and not into looks: ${limit} in ${window / minute} minutes`, async () => {
      assert.ok((await manifestsOf(limit, window)) >= least);
    });
  }

  test('nothing is fetched for a look while there is plenty, or where looks are free', async () => {
    for (const [left, limits] of [
      [2, {}],
      [1, { freeHeads: true }],
    ] as const) {
      const r = await registryThat((request, response) => sendManifest(request, response, told(left)), limits);
      for (let times = 0; times < 3; times += 1) await r.upstream.resolve(byTag, anonymous, signal);
      assert.deepEqual(r.asked(), ['HEAD', 'HEAD', 'HEAD']);
    }
  });
});

describe('a 429', () => {
  const known = { anonymous: { limit: 100, window: 21_600_000 } };
  for (const [what, headers, limits, wait, retryAfter] of [
    ['with Retry-After, where a limit is known', { 'retry-after': '90' }, known, 90, '90'],
    ['with a Retry-After of days', { 'retry-after': '99999' }, known, 900, '86400'],
    ['with nothing, where a limit is known', {}, known, 216, '216'],
    ['whose Retry-After makes no sense, where a limit is known', { 'retry-after': '-5' }, known, 216, '216'],
    ['that tells that nothing is left', told(0), undefined, 216, '216'],
    ['that tells that something is left', told(5), known, 3, undefined],
  ] as const) {
    test(`${what}: nothing is asked for again for ${wait} s`, async () => {
      const r = await registryThat((_request, response) => send(response, 429, headers), limits);
      assert.equal((await r.refused())?.headers['retry-after'], retryAfter);
      assert.deepEqual(r.asked(), ['GET']);
      r.clock.forward(wait * second - 1);
      assert.equal((await r.refused(other))?.headers['retry-after'], '1');
      assert.deepEqual(r.asked(), []);
      r.clock.forward(2);
      await r.refused();
      assert.deepEqual(r.asked(), ['GET']);
    });
  }

  const vague: readonly Record<string, string>[] = [
    {},
    { 'retry-after': '90' },
    { ...told(0), 'ratelimit-limit': '-1' },
  ];
  for (const headers of vague) {
    test(`of who tells no limit need not be meant for every repository: ${JSON.stringify(headers)}`, async () => {
      const isHeld = (url = '') => url.includes('/library/other/');
      const r = await registryThat((request, response) =>
        isHeld(request.url) ? sendManifest(request, response) : send(response, 429, headers),
      );
      assert.equal((await r.refused())?.status, 429);
      assert.equal(await r.refused(other), undefined);
      assert.deepEqual(r.asked(), ['GET', 'GET']);
    });
  }

  test('of a client’s own login says nothing of anybody else’s', async () => {
    const r = await registryThat((request, response) =>
      request.headers.authorization === undefined ? sendManifest(request, response) : send(response, 429, told(0)),
    );
    await assert.rejects(r.upstream.manifest(byTag, { authorization: 'Bearer x' }, signal), { status: 429 });
    assert.equal(await r.refused(), undefined);
    assert.deepEqual(r.upstream.budgets(), []);
  });

  test('of whom the endpoint redirects to says nothing of the endpoint', async () => {
    const cdn = await serve((request, response) => sendManifest(request, response, told(0)));
    const origin = await serve((_request, response) => send(response, 307, { location: `${cdn.url}/x` }));
    const { upstream } = bench({ endpoints: [origin.url], redirects: [cdn.url] });
    assert.ok(await upstream.manifest(byTag, anonymous, signal));
    assert.deepEqual(upstream.budgets(), []);
  });
});

describe('what is known', () => {
  test('ends with its window, and is nothing where nothing was told', async () => {
    const r = await registryThat((request, response) => sendManifest(request, response, told(30)));
    assert.equal(r.upstream.allowance(repository), undefined);
    await r.refused();
    assert.deepEqual(r.upstream.allowance(repository), { share: 0.3, window: 360 * minute });
    assert.equal(r.upstream.budgets().length, 1);
    r.clock.forward(360 * minute);
    assert.equal(r.upstream.allowance(repository), undefined);
    assert.deepEqual(r.upstream.budgets(), []);
  });

  test('is also who limits us without telling a limit, for as long as that is remembered', async () => {
    const r = await registryThat((_request, response) => send(response, 429, { 'retry-after': '60' }));
    await r.refused();
    const now = r.clock.now();
    const shown = r.upstream.budgets().map(({ told: limit, asOf, until }) => [limit, asOf, until]);
    assert.deepEqual(shown, [[undefined, now, now + minute]]);
    r.clock.forward(minute);
    assert.deepEqual(r.upstream.budgets(), []);
  });
});
