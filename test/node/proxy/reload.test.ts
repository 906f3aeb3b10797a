// The forward proxy of a real app whose configuration is read anew: what comes next meets the new rules.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { freePort } from '../../lab/process.ts';
import { type Running, start } from '../reloading.ts';

async function ask({ app }: Running, target: string): Promise<string> {
  const port = Number(/\d+$/.exec(app.proxyAddress ?? '')?.[0]);
  const socket = connect(port, '127.0.0.1');
  socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
  return (await text(socket)).split('\r\n')[0] ?? '';
}

const proxy_listen = '127.0.0.1:0';
const target = 'cdn.example.com:443';

test('hosts that are allowed or configured anew count at once, and are dialled as it is said anew', async (t) => {
  const running = await start(t, { proxy_listen });
  assert.match(await ask(running, target), / 403 this proxy is for container registries only/);
  const resolve = { 'cdn.example.com': `127.0.0.1:${await freePort('127.0.0.1')}` };
  const gone = / 502 cdn\.example\.com cannot be reached$/;
  await running.reload({ proxy_listen, resolve, proxy_allow: ['cdn.example.com'] });
  assert.match(await ask(running, target), gone);
  assert.ok(running.lines.some((line) => line.includes('changed resolve, proxy.allow')));
  await running.reload({ proxy_listen, resolve });
  assert.match(await ask(running, target), / 403 /);
  await running.reload({
    proxy_listen,
    resolve,
    registries: { 'registry.example.com': { cdns: ['cdn.example.com'] } },
  });
  assert.match(await ask(running, target), gone);
});

test('where it listens and what it intercepts wait for the next start', async (t) => {
  const running = await start(t, { proxy_listen });
  await running.reload({ proxy_listen: '127.0.0.1:1', proxy_intercept: true });
  for (const key of ['proxy.listen', 'proxy.intercept']) {
    assert.ok(running.lines.some((line) => line.includes(`${key}: changes at the next start`)));
  }
  assert.match(await ask(running, target), / 403 /);
});

test('who may use it stays as it is when that was said for another address, or for none', async (t) => {
  const before = { proxy_listen: '0.0.0.0:0', access: { networks: ['203.0.113.0/24'] } };
  for (const after of [{}, { proxy_listen }]) {
    const running = await start(t, before);
    await running.reload(after);
    assert.match(await ask(running, 'ghcr.io:443'), / 403 this proxy does not serve your address$/);
  }
});
