// The bench's link, in a process of its own, in front of a real server: bytes, counts and resets.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { startLink } from '../../bench/link/link.ts';
import type { Shape } from '../../bench/link/shape.ts';
import { randomBytes } from '../fakes/registry/bytes.ts';

describe('a link', () => {
  const content = randomBytes(1, 3_000_000);
  let server: Server;
  let target: string;
  before(async () => {
    server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(content)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    target = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());

  /** Reads so often, one after the other. What came each time, and what the link counted. */
  const readOver = async (shape: Shape, times = 1) => {
    const link = await startLink(target, shape);
    try {
      const got: Buffer[] = [];
      for (let time = 0; time < times; time++) got.push(await readAll(link.url));
      return { got, counts: await link.counts() };
    } finally {
      await link.stop();
    }
  };

  const shapes: readonly Shape[] = [{}, { roundTrip: 10 }, { each: 100e6, all: 50e6 }, { all: 50e6, roundTrip: 4 }];
  for (const shape of shapes) {
    test(`changes no byte and counts them all: ${JSON.stringify(shape)}`, async () => {
      const { got, counts } = await readOver(shape, 2);
      for (const each of got) assert.ok(content.equals(each), `${each.length} bytes`);
      assert.equal(counts.bytes, 2 * content.length);
      assert.equal(counts.connections, 2);
      assert.equal(counts.resets, 0);
    });
  }

  test('breaks where the seed says', async () => {
    const broken = async (seed: number) => {
      const { got, counts } = await readOver({ resetEvery: 500_000, seed }, 3);
      const arrived = got.reduce((sum, each) => sum + each.length, 0);
      // A reset throws away what the client had no room for.
      assert.ok(arrived > 0 && arrived <= counts.bytes);
      assert.ok(counts.resets > 0);
      return counts.bytes;
    };
    assert.equal(await broken(7), await broken(7));
    assert.notEqual(await broken(7), await broken(8));
  });
});

async function readAll(url: string): Promise<Buffer> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {});
  socket.write('go');
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks);
}
