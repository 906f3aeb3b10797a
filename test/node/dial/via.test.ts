// Connections through proxies: a SOCKS5 one that reads strictly, and HTTP ones that answer as they are told.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type OnReadOpts, type Server, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'node:test';
import { ForbiddenAddress } from '../../../src/core/upstream/fetch.ts';
import { parseVia } from '../../../src/node/config/via.ts';
import { createDial, type Destination, type DialParts } from '../../../src/node/dial/dial.ts';
import { pseudonym } from '../../../src/node/pseudonym.ts';
import { type FakeSocks, startSocks } from '../../fakes/socks.ts';

async function listening(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => void sockets.add(socket.on('error', () => {})));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

/** Says what is said to it. */
const echo = (t: TestContext) =>
  listening(
    t,
    createServer((socket) => socket.pipe(socket)),
  );

async function proxy(t: TestContext): Promise<FakeSocks> {
  const socks = await startSocks();
  t.after(() => socks.down());
  return socks;
}

/** Takes down what it hears up to the end of a head, and answers that. */
async function httpProxy(t: TestContext, ...answers: readonly string[]): Promise<{ port: number; heard: string[] }> {
  const heard: string[] = [];
  const port = await listening(
    t,
    createServer((socket) => {
      let head = '';
      socket.on('data', (bytes) => {
        head += bytes.toString('latin1');
        if (!head.endsWith('\r\n\r\n')) return;
        heard.push(head);
        for (const answer of answers) socket.write(answer);
      });
    }),
  );
  return { port, heard };
}

function dialler(t: TestContext, url: string, parts: DialParts = {}) {
  const via = parseVia(url);
  assert.ok(via !== undefined, url);
  const dial = createDial({ ...parts, lookUp: () => assert.fail('a name was looked up'), via });
  return (
    host: string,
    port = 443,
    more: Partial<Destination> & { signal?: AbortSignal; onread?: OnReadOpts } = {},
  ) => {
    const { signal = t.signal, onread, trust = 'configured' } = more;
    return dial({ host, port, trust }, { signal, onread });
  };
}

async function answerOf(socket: Socket, said: string): Promise<string> {
  socket.write(said);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return bytes.toString();
}

describe('SOCKS5', () => {
  test('a name is given to the proxy as it is, and the connection stands', async (t) => {
    const [socks, port] = [await proxy(t), await echo(t)];
    socks.names['registry.test'] = '127.0.0.1';
    for (const dribbles of [false, true]) {
      socks.levers.dribbles = dribbles;
      const socket = await dialler(t, `socks5://127.0.0.1:${socks.port}`)('registry.test', port);
      assert.equal(await answerOf(socket, 'hello'), 'hello');
    }
    assert.deepEqual(socks.asked, Array(2).fill(`name registry.test:${port}`));
  });

  test('an address is given as an address', async (t) => {
    const [socks, port] = [await proxy(t), await echo(t)];
    const dial = dialler(t, `socks5://127.0.0.1:${socks.port}`);
    assert.equal(await answerOf(await dial('127.0.0.1', port), 'hello'), 'hello');
    socks.levers.refusal = 2;
    await assert.rejects(dial('2001:db8::7'));
    assert.deepEqual(socks.asked, [`ipv4 127.0.0.1:${port}`, 'ipv6 2001:db8:0:0:0:0:0:7:443']);
  });

  test('a login is shown to who wants one, whatever characters it has', async (t) => {
    const [socks, port] = [await proxy(t), await echo(t)];
    const dial = dialler(t, `socks5://me:p%40%3Ass%C3%A9@127.0.0.1:${socks.port}`);
    for (const login of ['me:p@:ssé', undefined]) {
      socks.levers.login = login;
      assert.equal(await answerOf(await dial('127.0.0.1', port), 'hello'), 'hello');
    }
    socks.levers.login = 'me:other';
    await assert.rejects(dial('127.0.0.1', port), { code: 'ERR_VIA', message: /it refuses the login$/ });
    await assert.rejects(dialler(t, `socks5://127.0.0.1:${socks.port}`)('127.0.0.1', port), /it takes no such login$/);
  });

  test('why it gives no connection is told, and without the login', async (t) => {
    const socks = await proxy(t);
    const dial = dialler(t, `socks5://me:swordfish@127.0.0.1:${socks.port}`);
    const reasons = {
      1: 'it failed',
      2: 'its rules do not allow it',
      5: 'the connection was refused',
      99: 'it answered 99',
    };
    for (const [code, why] of Object.entries(reasons)) {
      socks.levers.refusal = Number(code);
      const message = `socks5://127.0.0.1:${socks.port} gives no connection to registry.test: ${why}`;
      await assert.rejects(dial('registry.test'), { code: 'ERR_VIA', message });
    }
  });

  test('who speaks no SOCKS5 or says nonsense is no proxy', async (t) => {
    const socks = await proxy(t);
    const dial = dialler(t, `socks5://127.0.0.1:${socks.port}`);
    for (const says of [
      'HTTP/1.1 400 Bad Request\r\n\r\n',
      '\x04\x00',
      '\x05\x01',
      '\x05\x00\x05\x00\x00\x09\x00\x00\x00',
      '',
    ]) {
      socks.levers.says = Buffer.from(says, 'latin1');
      socks.levers.closes = says === '';
      await assert.rejects(dial('registry.test'), { code: 'ERR_VIA' }, JSON.stringify(says));
    }
    await gone(socks);
  });
});

/** Every connection to it is closed. */
async function gone(socks: FakeSocks): Promise<void> {
  await Promise.all([...socks.sockets].map((socket) => once(socket, 'close')));
}

describe('CONNECT', () => {
  test('it is told the name and the port, and the login if there is one', async (t) => {
    const { port, heard } = await httpProxy(t, 'HTTP/1.1 200 Connection established\r\n', 'Via: x\r\n\r\n');
    (await dialler(t, `http://127.0.0.1:${port}`)('registry.test', 5000)).destroy();
    (await dialler(t, `http://me:p%40ss@127.0.0.1:${port}`)('2001:db8::7')).destroy();
    const basic = Buffer.from('me:p@ss').toString('base64');
    assert.deepEqual(heard, [
      `CONNECT registry.test:5000 HTTP/1.1\r\nHost: registry.test:5000\r\nVia: 1.1 ${pseudonym}\r\n\r\n`,
      `CONNECT [2001:db8::7]:443 HTTP/1.1\r\nHost: [2001:db8::7]:443\r\nVia: 1.1 ${pseudonym}\r\nProxy-Authorization: Basic ${basic}\r\n\r\n`,
    ]);
  });

  const refusals: readonly (readonly [string, string, RegExp])[] = [
    [
      'wants a login',
      'HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n',
      /it wants a login \(407\)$/,
    ],
    ['refuses', 'HTTP/1.0 403 Forbidden\r\n\r\nno', /it answered 403$/],
    ['speaks something else', 'SSH-2.0-x\r\n\r\n', /it does not speak HTTP$/],
    ['speaks before it is spoken to', 'HTTP/1.1 200 OK\r\n\r\nmore', /it spoke before it was spoken to$/],
    ['says too much', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(17_000)}`, /it says too much$/],
  ];
  for (const [what, answer, why] of refusals) {
    test(`one that ${what} gives no connection, and says so`, async (t) => {
      const { port } = await httpProxy(t, answer);
      await assert.rejects(dialler(t, `http://127.0.0.1:${port}`)('registry.test'), { code: 'ERR_VIA', message: why });
    });
  }

  test('a login that it refuses is told as that, and not itself', async (t) => {
    const { port } = await httpProxy(t, 'HTTP/1.1 407 No\r\n\r\n');
    const message = `http://127.0.0.1:${port} gives no connection to registry.test: it refuses the login (407)`;
    await assert.rejects(dialler(t, `http://me:swordfish@127.0.0.1:${port}`)('registry.test'), { message });
  });

  test('one that hangs up gives no connection', async (t) => {
    const port = await listening(
      t,
      createServer((socket) => socket.once('data', () => socket.end())),
    );
    await assert.rejects(dialler(t, `http://127.0.0.1:${port}`)('registry.test'), /it hung up$/);
  });
});

describe('with any proxy', () => {
  test('bytes go into the buffer of who brings one, and none of what the proxy said', async (t) => {
    const [socks, port] = [await proxy(t), await echo(t)];
    const heard = Promise.withResolvers<string>();
    const callback = (length: number, bytes: Uint8Array): boolean => {
      heard.resolve(Buffer.from(bytes.subarray(0, length)).toString());
      return true;
    };
    const onread = { buffer: Buffer.alloc(64 * 1024), callback };
    const socket = await dialler(t, `socks5://127.0.0.1:${socks.port}`)('127.0.0.1', port, { onread });
    socket.write('hello');
    assert.equal(await heard.promise, 'hello');
    socket.destroy();
    socks.levers.closes = true;
    await assert.rejects(dialler(t, `socks5://127.0.0.1:${socks.port}`)('127.0.0.1', port, { onread }), /it hung up$/);
  });

  test('one that is silent is waited for until the caller has enough, and then let go', async (t) => {
    const socks = await proxy(t);
    socks.levers.silent = true;
    const enough = new AbortController();
    const dialled = dialler(t, `socks5://127.0.0.1:${socks.port}`)('registry.test', 443, { signal: enough.signal });
    await socks.visited();
    const reason = new Error('enough');
    enough.abort(reason);
    await assert.rejects(dialled, reason);
    await gone(socks);
  });

  test('one that is not there is told as what the system says', async (t) => {
    const server = createServer();
    const port = await listening(t, server);
    await new Promise((resolve) => server.close(resolve));
    await assert.rejects(dialler(t, `http://127.0.0.1:${port}`)('registry.test'), { code: 'ECONNREFUSED' });
  });

  test('a pin says where it connects to, and where it is itself', async (t) => {
    const [socks, port] = [await proxy(t), await echo(t)];
    const here = '127.0.0.1';
    const resolve = { 'registry.localhost': { host: here, port }, 'proxy.test': { host: here, port: socks.port } };
    const dial = dialler(t, 'socks5://proxy.test:1', { resolve });
    for (const trust of ['configured', 'public'] as const) {
      assert.equal(await answerOf(await dial('registry.localhost', 443, { trust }), 'hello'), 'hello');
    }
    assert.deepEqual(socks.asked, Array(2).fill(`ipv4 127.0.0.1:${port}`));
  });

  test('what can only be a private address is not asked for in the name of somebody else, nor what is no name', async (t) => {
    const socks = await proxy(t);
    const dial = dialler(t, `socks5://127.0.0.1:${socks.port}`);
    for (const host of ['127.0.0.1', '::1', '169.254.169.254', '0x7f.1', '2130706433', 'localhost', 'a.localhost']) {
      await assert.rejects(dial(host, 443, { trust: 'public' }), ForbiddenAddress, host);
    }
    for (const host of ['a\r\nX: y', 'a b', 'é.test', '', 'a'.repeat(300)]) {
      await assert.rejects(dial(host), { code: 'ERR_VIA' }, host);
    }
    assert.deepEqual(socks.asked, []);
    assert.equal(socks.sockets.size, 0);
  });
});
