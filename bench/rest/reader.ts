// A client in a process of its own that reads bodies and keeps nothing: all its connections read into the same memory.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface Order {
  readonly url: string;
  /** At once, each over a connection of its own. */
  readonly clients: number;
  /** How often each reads it, one after the other. */
  readonly times: number;
}

export interface Read {
  readonly bytes: number;
  /** Until all had read it. */
  readonly seconds: number;
  /** Of each client. */
  readonly each: readonly number[];
  /** Processor time of this process. */
  readonly cpu: number;
}

const sink = Buffer.allocUnsafeSlow(256 * 1024);
const heads = /^HTTP\/1\.1 200[^]*?\r\ncontent-length: *(\d+)\r\n[^]*?\r\n\r\n/i;

process.on('message', (order: Order) => void answer(order));
process.once('disconnect', () => process.exit());

async function answer({ url, clients, times }: Order): Promise<void> {
  const before = process.cpuUsage();
  const begun = performance.now();
  const one = async () => {
    const bytes = await readAll(new URL(url), times);
    return { bytes, seconds: (performance.now() - begun) / 1000 };
  };
  const all = await Promise.all(Array.from({ length: clients }, one));
  const { user, system } = process.cpuUsage(before);
  const bytes = all.reduce((sum, each) => sum + each.bytes, 0);
  const each = all.map(({ seconds }) => seconds);
  process.send?.({ bytes, seconds: Math.max(...each), each, cpu: (user + system) / 1e6 } satisfies Read);
}

/** Answers with the bytes of all bodies; an answer that is not 200, or ends early, ends the process. */
async function readAll({ protocol, hostname, port, pathname }: URL, times: number): Promise<number> {
  let [bytes, left, greeting, asked] = [0, 0, '', 0];
  const onread = { buffer: sink, callback: take };
  const to = { host: hostname, port: Number(port), onread };
  const socket: Socket = protocol === 'https:' ? connectTls({ ...to, rejectUnauthorized: false }) : connect(to);
  function ask(): void {
    asked += 1;
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
  }
  function take(length: number, buffer: Uint8Array): boolean {
    const body = left > 0 ? length : begin(Buffer.from(buffer.subarray(0, length)).toString('latin1'));
    left -= body;
    bytes += body;
    if (left === 0 && greeting === '') {
      if (asked < times) ask();
      else socket.end();
    }
    return true;
  }
  /** Answers with how many bytes of the body came along. */
  function begin(text: string): number {
    greeting += text;
    const head = heads.exec(greeting);
    if (head === null) {
      if (greeting.includes('\r\n\r\n')) throw new Error(`not what was asked for: ${greeting.split('\r\n', 1)[0]}`);
      return 0;
    }
    left = Number(head[1]);
    const body = greeting.length - head[0].length;
    greeting = '';
    return body;
  }
  socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', ask);
  await once(socket, 'close');
  if (left > 0 || asked < times) throw new Error('the connection ended early');
  return bytes;
}
