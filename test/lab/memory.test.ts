// A hundred clients read a blob of one gigabyte, most of them slowly: sampan's memory does not grow with either number.
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Big } from './big-upstream.ts';
import { temporary } from './lab.ts';
import { peakMemory } from './process.ts';
import { type Sampan, startSampan } from './sampan.ts';

const size = 1 << 30;
const clients = 100;
/** These read to the end, and one of them checks the digest. The others take a part, and then wait for these, still connected. */
const fast = 4;
const part = 16 << 20;
const limit = 200e6;

const noProc = process.platform !== 'linux' && 'there is no /proc';

describe('100 clients that read a blob of 1 GB', { skip: noProc }, () => {
  let directory: string;
  let upstream: ChildProcess;
  let big: Big;
  let sampan: Sampan;

  before(async () => {
    directory = await temporary();
    upstream = fork(new URL('./big-upstream.ts', import.meta.url), [String(size)]);
    [big] = (await once(upstream, 'message')) as [Big];
    sampan = await startSampan(directory, { 'docker.io': { endpoints: [big.url] } });
    await (await fetch(`${sampan.url}/v2/library/big/manifests/latest`)).bytes();
  });
  after(async () => {
    await sampan?.stop();
    upstream?.disconnect();
    await rm(directory, { recursive: true, force: true });
  });

  for (const state of ['cold', 'warm']) {
    test(`${state}, keep sampan below 200 MB`, async (t) => {
      const hash = createHash('sha256');
      const readers = Array.from(
        { length: clients },
        (_, i) => new Reader(sampan.url, big.digest, i === 0 ? hash : undefined),
      );
      const slow = readers.slice(fast);
      await Promise.all(slow.map((reader) => reader.read(part)));
      await Promise.all(readers.slice(0, fast).map((reader) => reader.read(size)));
      assert.equal(`sha256:${hash.digest('hex')}`, big.digest);
      await Promise.all(slow.map((reader) => reader.read(part + 1)));
      for (const reader of readers) reader.leave();

      const peak = await peakMemory(sampan.pid);
      t.diagnostic(`peak resident memory: ${Math.round(peak / 1e6)} MB`);
      assert.ok(peak < limit, `${peak} bytes`);
    });
  }

  test('make one download of it', async () => {
    upstream.send('how often?');
    assert.deepEqual((await once(upstream, 'message'))[0], 1);
  });
});

/** A client that takes bytes only while it is told to, and keeps none. Not `http`, which would be slower than what is measured. */
class Reader {
  readonly #socket: Socket;
  #head = '';
  #got = 0;
  #wanted = 0;
  #satisfied = Promise.withResolvers<void>();

  constructor(url: string, digest: string, hash: ReturnType<typeof createHash> | undefined) {
    const { hostname, port } = new URL(url);
    const onread = {
      buffer: Buffer.allocUnsafe(256 * 1024),
      callback: (length: number, buffer: Uint8Array) => this.#take(buffer.subarray(0, length), hash),
    };
    this.#satisfied.promise.catch(() => {});
    this.#socket = connect({ host: hostname, port: Number(port), onread });
    this.#socket.on('error', (error) => this.#satisfied.reject(error));
    this.#socket.on('close', () => this.#satisfied.reject(new Error(`closed after ${this.#got} bytes of the body`)));
    this.#socket.write(`GET /v2/library/big/blobs/${digest} HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  }

  /** Resolves when so many bytes of the body have come, in all. */
  read(bytes: number): Promise<void> {
    if (this.#got >= bytes) return Promise.resolve();
    this.#wanted = bytes;
    this.#satisfied = Promise.withResolvers();
    this.#socket.resume();
    return this.#satisfied.promise;
  }

  leave(): void {
    this.#satisfied.promise.catch(() => {});
    this.#socket.destroy();
  }

  /** Called with all that comes. False makes the socket stop reading. */
  #take(bytes: Uint8Array, hash: ReturnType<typeof createHash> | undefined): boolean {
    const body = this.#head.endsWith('\r\n\r\n') ? bytes : this.#afterHead(bytes);
    hash?.update(body);
    this.#got += body.length;
    if (this.#got >= this.#wanted) this.#satisfied.resolve();
    return this.#got < this.#wanted;
  }

  #afterHead(bytes: Uint8Array): Uint8Array {
    const text = this.#head + Buffer.from(bytes).toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    const headLength = end === -1 ? text.length : end + 4;
    const known = this.#head.length;
    this.#head = text.slice(0, headLength);
    if (end !== -1 && !this.#head.startsWith('HTTP/1.1 200 ')) this.#satisfied.reject(new Error(this.#head));
    return bytes.subarray(headLength - known);
  }
}
