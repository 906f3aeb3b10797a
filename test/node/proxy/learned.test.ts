// CDN hosts that are learned from redirects: for whom, for how long, and which never.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MirrorEvent } from '../../../src/core/mirror/events.ts';
import { Learned } from '../../../src/node/proxy/learned.ts';

const [client, other, host, registry] = ['10.0.0.1', '10.0.0.2', 'cdn.docker.com', 'docker.io'];
const minute = 60_000;

function world() {
  let now = 1000;
  const configured = new Set([registry]);
  const learned = new Learned(
    () => now,
    (name) => configured.has(name),
  );
  const served = (more: Partial<Extract<MirrorEvent, { kind: 'served' }>> = {}) =>
    learned.report({
      kind: 'served',
      method: 'GET',
      path: '/v2/library/alpine/blobs/x',
      what: 'blob',
      registry,
      status: 200,
      outcome: 'miss',
      bytes: 1,
      poured: 0,
      ms: 1,
      address: client,
      tls: 'none',
      whole: true,
      ...more,
    });
  const redirected = (to = host) => learned.report({ kind: 'redirected', registry, host: to });
  return { learned, configured, served, redirected, pass: (ms: number) => (now += ms) };
}

test('who was just given something that was not here may go where its registry sent us, for a quarter of an hour', () => {
  const { learned, served, redirected, pass } = world();
  redirected();
  assert.equal(learned.find(host, client), undefined);
  served();
  assert.deepEqual(learned.find(host, client), { registry, isRegistry: false });
  assert.equal(learned.find(host, other), undefined, 'that client alone');
  assert.equal(learned.find(`evil.${host}`, client), undefined, 'that name alone');
  pass(15 * minute - 1);
  assert.ok(learned.find(host, client));
  pass(1);
  assert.equal(learned.find(host, client), undefined);
});

test('who was refused, or was given what was here, or something of another registry, learns nothing', () => {
  for (const more of [
    { status: 403 },
    { status: 404 },
    { outcome: 'hit' },
    { outcome: 'none' },
    { registry: 'ghcr.io' },
    { registry: undefined },
  ] as const) {
    const { learned, served, redirected } = world();
    redirected();
    served(more);
    assert.equal(learned.find(host, client), undefined, JSON.stringify(more));
  }
});

test('an old redirect teaches nobody', () => {
  const { learned, served, redirected, pass } = world();
  redirected();
  pass(15 * minute);
  served();
  assert.equal(learned.find(host, client), undefined);
});

test('who comes late may go there for what is left of the time', () => {
  const { learned, served, redirected, pass } = world();
  redirected();
  pass(14 * minute);
  served();
  assert.ok(learned.find(host, client));
  pass(minute);
  assert.equal(learned.find(host, client), undefined);
});

test('a lesson of its own is not cut short by an older one', () => {
  const { learned, served, redirected, pass } = world();
  redirected();
  pass(10 * minute);
  learned.note(client, host, registry);
  served();
  pass(10 * minute);
  assert.ok(learned.find(host, client));
});

test('what was learned of a registry does not outlive it', () => {
  const { learned, configured, served, redirected } = world();
  redirected();
  served();
  configured.clear();
  assert.equal(learned.find(host, client), undefined);
});

test('each address of an IPv6 network learns for itself', () => {
  const { learned } = world();
  learned.note('2001:db8:1:2::3', host, registry);
  assert.ok(learned.find(host, '2001:db8:1:2::3'));
  assert.equal(learned.find(host, '2001:db8:1:2::4'), undefined);
});

test('names below a domain where anybody can have one are never learned', () => {
  const { learned } = world();
  for (const never of [
    'bucket.s3.dualstack.eu-west-1.amazonaws.com',
    'd111111abcdef8.cloudfront.net',
    'storage.googleapis.com',
    'x.blob.core.windows.net',
    'x.r2.cloudflarestorage.com',
    'somebody.github.io',
    'somebody.workers.dev',
    'pkg-containers.githubusercontent.com',
    'bucket.oss-cn-hangzhou.aliyuncs.com',
    'bucket-1250000000.cos.ap-guangzhou.myqcloud.com',
    'bucket.obs.cn-north-4.myhuaweicloud.com',
    'bucket.bj.bcebos.com',
    'bucket.s3.cn-north-1.amazonaws.com.cn',
    'x.blob.core.chinacloudapi.cn',
    's3.wasabisys.com',
    'f000.backblazeb2.com',
    'objectstorage.eu-frankfurt-1.oraclecloud.com',
    'x.storage.googleusercontent.com',
    'x.b-cdn.net',
    'x.vo.msecnd.net',
    'x.global.ssl.fastly.net',
    'amazonaws.com',
    'co.uk',
    'localhost',
    '10.0.0.1',
    'cdn.lan',
  ]) {
    learned.note(client, never, registry);
    assert.equal(learned.find(never, client), undefined, never);
  }
});
