// Two thousand tunnels at once through sampan as people run it: nobody waits for a client that does not read, and memory stays flat.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdir, readFile, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { helloFor } from '../fakes/client-hello.ts';
import { temporary } from './lab.ts';
import { freePort } from './process.ts';
import { type Sampan, startSampan } from './sampan.ts';

const host = 'registry-1.docker.io';
const tunnels = 2000;
/** Every twentieth client does not read until all others have everything. */
const isSlow = (index: number): boolean => index % 20 === 0;
/** Far more than the kernel and sampan hold between them for one tunnel whose client does not read. */
const forSlow = 8 << 20;
const forOthers = 256 << 10;
/**
 * Megabytes resident in all: a buffer and two sockets for each, and the process itself. Not what is added to the start, which is smaller
 * the less it loads. What one crowd left behind of them, the next would double.
 */
const most = 370;

describe('two thousand tunnels', { skip: process.platform !== 'linux' && 'memory is read from /proc' }, () => {
  let directory: string;
  let sampan: Sampan;
  let port: number;
  const chunk = Buffer.alloc(64 << 10, 1);
  const server = createServer((socket) => {
    // Which of them it is tells the byte behind the hello.
    socket
      .on('error', () => {})
      .on('data', (bytes: Buffer) => {
        const last = bytes.at(-1);
        pour(socket, last === 1 ? forSlow : forOthers);
      });
  });

  before(async () => {
    directory = await temporary();
    server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
    await once(server, 'listening');
    port = await freePort('127.0.0.1');
    const resolve = { [host]: `127.0.0.1:${(server.address() as AddressInfo).port}` };
    const proxy = { listen: `127.0.0.1:${port}`, tunnels };
    sampan = await startSampan(directory, {}, { catalogue: true, resolve, proxy, log: { level: 'error' } });
  });
  after(async () => {
    await sampan?.stop();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });

  function pour(socket: Socket, size: number): void {
    for (let left = size; left > 0; left -= chunk.length) {
      if (!socket.write(chunk)) return void socket.once('drain', () => pour(socket, left - chunk.length));
    }
    socket.end();
  }

  /** Bytes that came, and what lets a slow one go on. */
  async function open(index: number): Promise<{ readonly socket: Socket; readonly bytes: Promise<number> }> {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write(`CONNECT ${host}:443 HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    assert.match(answer.toString('latin1'), /^HTTP\/1\.1 200 /);
    const bytes = count(socket);
    if (isSlow(index)) socket.pause();
    socket.write(Buffer.concat([helloFor(host), Buffer.from([isSlow(index) ? 1 : 0])]));
    return { socket, bytes };
  }

  async function count(socket: Socket): Promise<number> {
    let bytes = 0;
    socket.on('data', (each: Buffer) => (bytes += each.length));
    await once(socket, 'close');
    return bytes;
  }

  async function wave(): Promise<void> {
    const all = await Promise.all(Array.from({ length: tunnels }, (_, index) => open(index)));
    const others = all.filter((_, index) => !isSlow(index));
    for (const bytes of await Promise.all(others.map((each) => each.bytes))) assert.equal(bytes, forOthers);
    const slow = all.filter((_, index) => isSlow(index));
    for (const { socket } of slow) assert.equal(socket.readyState, 'open');
    for (const { socket } of slow) socket.resume();
    for (const { bytes } of slow) assert.equal(await bytes, forSlow);
  }

  async function megabytes(): Promise<number> {
    const status = await readFile(`/proc/${sampan.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1000;
  }

  test('all get everything, and however often they come, memory and descriptors stay within what so many need at once', async () => {
    const descriptors = async () => (await readdir(`/proc/${sampan.pid}/fd`)).length;
    const opened = await descriptors();
    for (const times of [1, 2, 3]) {
      await wave();
      const then = await megabytes();
      assert.ok(then < most, `${then} MB after ${times} times`);
    }
    await sampan.until('end of descriptors', async () => assert.ok((await descriptors()) <= opened));
  });
});
