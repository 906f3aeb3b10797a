// A client in a process of its own that reads bodies and keeps nothing.
import { once } from 'node:events';
import { connect } from 'node:tls';
import { parseHead } from './head.ts';

export interface Order {
  readonly url: string;
  /** At once, each over a connection of its own. */
  readonly clients: number;
  /** How often each reads it, one after the other. */
  readonly times: number;
}

export interface Bodies {
  readonly bytes: number;
  /** Seconds until each client had read all of its own. */
  readonly each: readonly number[];
}

export interface Read extends Bodies {
  /** Until all had read it. */
  readonly seconds: number;
  /** Processor time of this process. */
  readonly cpu: number;
}

process.on('message', (order: Order) => void answer(order));
process.once('disconnect', () => process.exit());

async function answer({ url, clients, times }: Order): Promise<void> {
  const to = new URL(url);
  // Loaded before the clock runs.
  const { discard } = await import('./discard.ts');
  const before = process.cpuUsage();
  const bodies = to.protocol === 'https:' ? await decryptAll(to, clients, times) : discard(to, clients, times);
  const { user, system } = process.cpuUsage(before);
  process.send?.({ ...bodies, seconds: Math.max(...bodies.each), cpu: (user + system) / 1e6 } satisfies Read);
}

async function decryptAll(url: URL, clients: number, times: number): Promise<Bodies> {
  const begun = performance.now();
  const one = async () => {
    const bytes = await decrypt(url, times);
    return { bytes, seconds: (performance.now() - begun) / 1000 };
  };
  const all = await Promise.all(Array.from({ length: clients }, one));
  return { bytes: all.reduce((sum, { bytes }) => sum + bytes, 0), each: all.map(({ seconds }) => seconds) };
}

/** All connections read into it. */
const sink = Buffer.allocUnsafeSlow(256 * 1024);

/** Answers with the bytes of all bodies; an answer that is not 200, or ends early, ends the process. */
async function decrypt({ hostname, port, pathname, host }: URL, times: number): Promise<number> {
  let [bytes, left, greeting, asked] = [0, 0, '', 0];
  const to = { host: hostname, port: Number(port), onread: { buffer: sink, callback: take } };
  const socket = connect({ ...to, rejectUnauthorized: false });
  function ask(): void {
    asked += 1;
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
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
    const head = parseHead(greeting);
    if (head === undefined) return 0;
    left = head.body;
    const came = greeting.length - head.length;
    greeting = '';
    return came;
  }
  socket.once('secureConnect', ask);
  await once(socket, 'close');
  if (left > 0 || asked < times) throw new Error('the connection ended early');
  return bytes;
}
