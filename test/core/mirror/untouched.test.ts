// A mirror that has no time to look at bytes: the body that its Fetch gave is the body of the reply, and nothing is read of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Mirror } from '../../../src/core/mirror/mirror.ts';
import type { ByteStream } from '../../../src/core/mirror/reply.ts';
import { parsePull } from '../../../src/core/oci/pull.ts';
import type { UpstreamRequest } from '../../../src/core/upstream/fetch.ts';
import { Registries } from '../../../src/core/upstream/registries.ts';
import { createUpstream } from '../../../src/core/upstream/registry.ts';
import { TestClock } from './world.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const never = new AbortController().signal;

/** An upstream whose every answer has this head and a body that nobody may read. */
function mirrorOver(status: number, headers: Readonly<Record<string, string>>) {
  const asked: UpstreamRequest[] = [];
  const body: ByteStream = {
    [Symbol.asyncIterator]: () => {
      throw new Error('somebody reads the body');
    },
  };
  let cancelled = 0;
  const clock = new TestClock();
  const entry = { aliases: [], mirrors: [], realms: [], redirects: [], cdns: [], endpoints: ['https://hub.example'] };
  const registries = new Registries([{ ...entry, name: 'docker.io' }], {});
  const upstream = createUpstream({
    fetch: async (request) => {
      asked.push(request);
      return { status, headers, body, cancel: () => void (cancelled += 1) };
    },
    registries,
    clock,
    random: () => 0,
    digest: () => '',
    registrableDomain: () => undefined,
    version: '0.0.0',
    report: () => {},
  });
  const mirror = new Mirror({
    upstream,
    access: { kind: 'open' },
    clock,
    digest: () => '',
    freshness: () => ({ freshFor: 0, staleFor: 0 }),
    lanes: () => 1,
    report: () => {},
    closing: never,
  });
  const get = (headersOfClient: { range?: string; ifRange?: string } = {}, authorization?: string) => {
    const request = { method: 'GET', target: `/v2/a/b/blobs/${digest}`, host: 'mirror.example', ...headersOfClient };
    const caller = { address: '192.0.2.1', ...(authorization !== undefined && { authorization }) };
    return mirror.pull(parsePull(request, registries), caller, never);
  };
  return { get, asked, body, cancelled: () => cancelled };
}

test('the whole and a range are the very stream that came, anonymous and with a login', async () => {
  for (const authorization of [undefined, 'Bearer mine']) {
    const whole = mirrorOver(200, { 'content-length': '1000' });
    const reply = await whole.get({}, authorization);
    assert.equal(reply.status, 200);
    assert.equal(reply.headers['content-length'], '1000');
    assert.ok(reply.body.kind === 'stream' && reply.body.stream === whole.body);
    assert.equal(whole.asked.length, 1);

    const part = mirrorOver(206, { 'content-range': 'bytes 990-999/1000', 'content-length': '10' });
    const partly = await part.get({ range: 'bytes=-10' }, authorization);
    assert.equal(partly.status, 206);
    assert.equal(partly.headers['content-range'], 'bytes 990-999/1000');
    assert.equal(part.asked[0]?.headers['range'], 'bytes=-10');
    assert.ok(partly.body.kind === 'stream' && partly.body.stream === part.body);
  }
});

for (const [what, headers, range] of [
  ['another beginning', { 'content-range': 'bytes 0-9/1000' }, 'bytes=10-19'],
  ['another end', { 'content-range': 'bytes 10-18/1000' }, 'bytes=10-19'],
  ['less than the rest', { 'content-range': 'bytes 10-19/1000' }, 'bytes=10-'],
  ['no part that it names', {}, 'bytes=10-19'],
  ['a part of what has an end before it', { 'content-range': 'bytes 0-9/10' }, 'bytes=100-'],
  ['a part that nobody asked for', { 'content-range': 'bytes 0-9/1000' }, undefined],
] as const) {
  test(`a 206 with ${what} is refused, and let go`, async () => {
    const { get, cancelled } = mirrorOver(206, headers);
    assert.equal((await get({ range })).status, 502);
    assert.equal(cancelled(), 1);
  });
}
