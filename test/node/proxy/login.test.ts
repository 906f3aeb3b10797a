// Accounts at the proxy: shown unasked, looked at only where they are needed, and told to nobody.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { Accounts, macOfSecret } from '../../../src/core/access/accounts.ts';
import type { Access } from '../../../src/core/access/admit.ts';
import type { Caller } from '../../../src/core/access/caller.ts';
import { Guesses } from '../../../src/core/access/guesses.ts';
import type { Mac } from '../../../src/core/access/mac.ts';
import { parseNetwork } from '../../../src/core/access/networks.ts';
import { parsePattern } from '../../../src/core/access/pattern.ts';
import { createSecret } from '../../../src/core/access/secret.ts';
import { identify } from '../../../src/core/door/identity.ts';
import { basic } from '../../../src/core/oci/login.ts';
import { type Admission, admit } from '../../../src/node/proxy/admission.ts';
import type { PassageParts } from '../../../src/node/proxy/passages.ts';
import { established, readAll, readSome, startHost, startProxy, type World } from './world.ts';
import { helloFor } from '../../fakes/client-hello.ts';

const secret = createSecret(new Uint8Array(16).fill(7));
const wrong = createSecret(new Uint8Array(16).fill(8));
const right = basic('alice', secret);
const login: Access = { kind: 'networks', networks: [], login: true };

async function admission(access: Access = login): Promise<Admission> {
  const mac: Mac = (text) => createHmac('sha256', 'key').update(text).digest();
  const allow = [parsePattern('docker.io/acme/**')!];
  const accounts = new Accounts([{ name: 'alice', mac: await macOfSecret(mac, secret), allow }], mac);
  const guesses = new Guesses(() => 0);
  return {
    access,
    identify: (shown, address) => identify({ accounts, guesses }, shown, address),
  };
}

const heads = (shown?: string): string => (shown === undefined ? '' : `Proxy-Authorization: ${shown}\r\n`);

async function tunnel(world: World, shown?: string, more = ''): Promise<{ client: Socket; head: string }> {
  const client = await world.connect();
  client.write(`CONNECT ghcr.io:443 HTTP/1.1\r\nHost: ghcr.io:443\r\n${heads(shown)}${more}\r\n`);
  return { client, head: await readSome(client, established) };
}

async function start(t: TestContext, more: Partial<PassageParts & Admission> = {}): Promise<World> {
  const port = await startHost(t, (socket) => void socket.pipe(socket));
  return startProxy(t, { 'ghcr.io': port }, { ...(await admission()), ...more });
}

for (const [what, shown, says] of [
  ['no login', undefined, /^407 this proxy wants an account's login: point clients at http:\/\/name:secret@/],
  ['another’s secret', basic('alice', wrong), /^407 no account of this mirror has this name and this secret/],
  ['another name', basic('bob', secret), /^407 no account of this mirror/],
  ['what is no secret', basic('alice', 'password'), /^407 this proxy wants/],
  ['a token', 'Bearer abc', /^407 this proxy wants/],
  ['nonsense', 'Basic !', /^407 this proxy wants/],
] as const) {
  test(`who shows ${what} is asked for a login, in a tunnel as for a URL, and nobody is told what he showed`, async (t) => {
    const world = await start(t);
    const { head } = await tunnel(world, shown);
    const client = await world.connect();
    client.write(`GET http://ghcr.io/v2/ HTTP/1.1\r\nHost: ghcr.io\r\n${heads(shown)}\r\n`);
    for (const answer of [head, (await readAll(client)).toString()]) {
      assert.match(answer.replace('HTTP/1.1 ', ''), says);
      assert.match(answer, /\r\nproxy-authenticate: Basic realm="sampan"\r\n/i);
    }
    assert.equal(world.events.length, 2);
    const told = JSON.stringify(world.events);
    assert.doesNotMatch(told, /sampan-[0-9a-z]{33}|password|authorization/i);
    if (shown !== undefined) assert.ok(!told.includes(shown.split(' ')[1]!));
  });
}

test('an account gets a tunnel, and the host hears nothing of its login', async (t) => {
  const heard: Buffer[] = [];
  const port = await startHost(t, (socket) => {
    socket.on('data', (chunk: Buffer) => heard.push(chunk)).on('end', () => socket.end());
  });
  const world = await startProxy(t, { 'ghcr.io': port }, await admission());
  const { client, head } = await tunnel(world, right);
  assert.match(head, /^HTTP\/1\.1 200 /);
  client.end(helloFor('ghcr.io'));
  await world.told('passed');
  assert.deepEqual(Buffer.concat(heard), helloFor('ghcr.io'));
});

test('an account’s plain request goes on without its login', async (t) => {
  let seen: object = {};
  const server = createServer((request, response) => {
    seen = request.headers;
    response.end('body');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const world = await startProxy(t, { 'ghcr.io': (server.address() as AddressInfo).port }, await admission());
  const client = await world.connect();
  client.write(`GET http://ghcr.io/ HTTP/1.1\r\nHost: ghcr.io\r\n${heads(right)}Connection: close\r\n\r\n`);
  assert.match((await readAll(client)).toString(), /^HTTP\/1\.1 200 [^]*body$/);
  assert.ok(!('proxy-authorization' in seen) && !JSON.stringify(seen).includes('Basic'));
});

test('ten wrong secrets in a minute are enough, and a right one is listened to all the same', async (t) => {
  const world = await start(t);
  for (let index = 0; index < 10; index += 1) {
    assert.match((await tunnel(world, basic('alice', wrong))).head, /^HTTP\/1\.1 407 /);
  }
  assert.match(
    (await tunnel(world, basic('alice', wrong))).head,
    /^HTTP\/1\.1 429 too many logins[^\r]+\r\nretry-after: 60\r\n/,
  );
  assert.match((await tunnel(world, right)).head, /^HTTP\/1\.1 200 /);
});

for (const [what, access] of [
  ['everybody is let in', { kind: 'open' }],
  ['his network is let in', { kind: 'networks', networks: [parseNetwork('127.0.0.1')], login: true }],
] as const) {
  test(`where ${what}, a login is not looked at`, async (t) => {
    // The identify of the world itself fails.
    const port = await startHost(t, (socket) => void socket.pipe(socket));
    const world = await startProxy(t, { 'ghcr.io': port }, { access });
    assert.match((await tunnel(world, basic('alice', wrong))).head, /^HTTP\/1\.1 200 /);
  });
}

test('where rules name accounts, whoever is let in by his address may show which one he is; a wrong login is none', async () => {
  const { identify: find } = await admission();
  const parts = (ruled: boolean): Admission => ({ access: { kind: 'open' }, identify: find, ruled });
  const address = '192.0.2.1';
  const named = await admit(parts(true), address, right);
  assert.ok('account' in named);
  assert.deepEqual([named.account?.name, named.account?.allow], ['alice', []]);
  for (const shown of [undefined, basic('alice', wrong), 'Bearer x', 'nonsense']) {
    assert.deepEqual(await admit(parts(true), address, shown), { address });
  }
  assert.deepEqual(admit(parts(false), address, right), { address }, 'not looked at');
});

test('where only networks are let in, no login helps, and none is asked for', async (t) => {
  const world = await start(t, { access: { kind: 'networks', networks: [parseNetwork('10.0.0.0/8')] } });
  const { head } = await tunnel(world, right);
  assert.match(head, /^HTTP\/1\.1 403 this proxy does not serve your address/);
  assert.doesNotMatch(head, /proxy-authenticate/i);
});

test('nobody is let in because he says to speak for somebody who is', async (t) => {
  const access: Access = { kind: 'networks', networks: [parseNetwork('10.0.0.0/8')], login: true };
  const world = await start(t, { access });
  const { head } = await tunnel(world, undefined, 'X-Forwarded-For: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\n');
  assert.match(head, /^HTTP\/1\.1 407 /);
});

test('an intercepted account is let in at the mirror too, and opens nothing there', async (t) => {
  const taken = Promise.withResolvers<Caller>();
  const world = await start(t, {
    intercept: {
      at: () => true,
      take: async (socket, _hello, _registry, client) => {
        taken.resolve(client);
        socket.destroy();
        return { sent: 0, received: 0, ended: 'done' };
      },
    },
  });
  const { client } = await tunnel(world, right);
  client.write(helloFor('ghcr.io'));
  const { address, account } = await taken.promise;
  assert.deepEqual([address, account?.name, account?.allow], ['127.0.0.1', 'alice', []]);
});

test('what goes wrong when somebody is identified costs him his connection, and nobody else anything', async (t) => {
  let broken = true;
  const { identify: works } = await admission();
  const world = await start(t, {
    identify: async (...shown) => {
      if (broken) throw new Error('out of order');
      return works(...shown);
    },
  });
  const client = await world.connect();
  client.write(`CONNECT ghcr.io:443 HTTP/1.1\r\nHost: ghcr.io:443\r\n${heads(right)}\r\n`);
  assert.equal((await readAll(client)).length, 0);
  await world.told('bug');
  broken = false;
  assert.match((await tunnel(world, right)).head, /^HTTP\/1\.1 200 /);
});
