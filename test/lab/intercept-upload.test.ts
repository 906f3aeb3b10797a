// A gigabyte is pushed through an intercepting proxy: sampan's memory does not grow with it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request } from 'node:https';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import { type Intercepted, startIntercepted } from './intercepted.ts';
import { parts } from './lab.ts';
import { need } from './need.ts';
import { hub as api } from './secure.ts';

const size = 1 << 30;
const chunk = Buffer.alloc(1 << 20, 'sampan');
const limit = 200e6;

const skip = need(...parts) || (process.platform !== 'linux' && 'there is no /proc');

describe('1 GB pushed through an intercepting proxy', { skip }, () => {
  let at: Intercepted;

  before(async () => {
    at = await startIntercepted();
  });
  after(() => at?.close());

  test('keeps sampan below 200 MB', async (t) => {
    const { service, realm } = at.lab.tokens;
    const scope = 'repository:team/big:pull,push';
    const told = await fetch(`${realm}?${new URLSearchParams({ service, scope }).toString()}`);
    const authorization = `Bearer ${((await told.json()) as { token: string }).token}`;
    const ask = async (method: string, path: string): Promise<ClientRequest> => {
      const socket = await through(at);
      return request({ method, path, createConnection: () => socket, headers: { host: api, authorization } });
    };

    const opened = await answerTo((await ask('POST', '/v2/team/big/blobs/uploads/')).end());
    assert.equal(opened.statusCode, 202);
    const upload = new URL(opened.headers.location ?? '', `https://${api}`);
    const began = performance.now();
    const sending = await ask('PATCH', upload.pathname + upload.search);
    for (let sent = 0; sent < size; sent += chunk.length) {
      if (!sending.write(chunk)) await once(sending, 'drain');
    }
    const sent = await answerTo(sending.end());
    assert.deepEqual([sent.statusCode, sent.headers.range], [202, `0-${size - 1}`]);
    const seconds = (performance.now() - began) / 1000;

    const status = await readFile(`/proc/${at.sampan.pid}/status`, 'utf8');
    const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
    t.diagnostic(`peak resident memory: ${Math.round(peak / 1e6)} MB; ${Math.round(size / 1e6 / seconds)} MB/s`);
    assert.ok(peak < limit, `${peak} bytes`);
  });
});

/** TLS with the registry's name, through the proxy. */
async function through({ proxy, authority }: Intercepted): Promise<TLSSocket> {
  const { hostname, port } = new URL(proxy);
  const asked = plainRequest({ host: hostname, port, method: 'CONNECT', path: `${api}:443` }).end();
  const [answer, socket] = (await once(asked, 'connect')) as [IncomingMessage, Socket];
  assert.equal(answer.statusCode, 200);
  const secure = connect({ socket, servername: api, ca: await readFile(authority) });
  await once(secure, 'secureConnect');
  return secure;
}

async function answerTo(asked: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  return answer;
}
