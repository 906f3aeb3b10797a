// One tunnel through a proxy, opened and read to its end by a client that only counts.
import { once } from 'node:events';
import { connect } from 'node:net';
import { helloFor } from '../../test/fakes/client-hello.ts';

/** Bytes are looked at by nobody, so all clients share what they are read into. */
const sink = Buffer.allocUnsafeSlow(256 * 1024);
const head = /^HTTP\/1\.[01] 200[^]*?\r\n\r\n/;

export interface Way {
  /** The proxy's port on the loopback. */
  readonly port: number;
  /** What it is asked for: `host:port`. */
  readonly target: string;
}

/** `rest`: milliseconds that the client looks away after each read, for one that is slow. Returns the bytes that came. */
export async function readThrough({ port, target }: Way, rest = 0): Promise<number> {
  let [bytes, greeting] = [0, ''];
  const socket = connect({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: sink,
      callback(length, buffer) {
        if (head.test(greeting)) bytes += length;
        else greet(Buffer.from(buffer.subarray(0, length)).toString('latin1'));
        if (rest === 0 || bytes === 0) return true;
        setTimeout(() => socket.resume(), rest);
        return false;
      },
    },
  });
  function greet(text: string): void {
    greeting += text;
    if (head.test(greeting)) socket.write(helloFor(target.replace(/:\d+$/, '')));
    else if (greeting.includes('\r\n\r\n')) socket.destroy(new Error(`refused: ${greeting.slice(0, 100)}`));
  }
  socket.once('connect', () => socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`));
  await once(socket, 'close');
  return bytes;
}
