// Ways out of one configuration after the other: which are kept, and which forgotten.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { Dialling } from '../../src/node/dialling.ts';
import type { Way } from '../../src/node/outbound.ts';

const clock = { now: () => 0, sleep: async () => {} };
const one: Way = { resolve: {}, dns: undefined, via: undefined, timeouts: {} };
const other: Way = { ...one, resolve: { 'a.test': { host: '127.0.0.1', port: 1 } } };

test('the same way is the same, and one that nobody uses is forgotten when another comes', async (t) => {
  const dialling = new Dialling(clock);
  t.after(() => dialling.close());
  const first = dialling.as(one);
  assert.equal(dialling.as({ ...one }), first);
  assert.notEqual(dialling.as(other), first);
  assert.notEqual(dialling.as(one), first);
});

test('one that something runs on is kept, and broken at the end', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const dialling = new Dialling(clock);
  const first = dialling.as(one);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const answer = first.fetch({ method: 'GET', url, headers: {}, signal: t.signal, trust: 'configured' });
  await once(server, 'request');
  dialling.as(other);
  assert.equal(dialling.as(one), first);
  await Promise.all([assert.rejects(answer), dialling.close()]);
});
