// Reads bodies by system calls that have the kernel drop them (recv with MSG_TRUNC, tcp(7)): nothing is copied to anybody. A client on
// this machine takes from the servers what one at the other end of a cable would not: with this one that is half as much.
import { dlopen } from 'node:ffi';
import type { Bodies } from './reader.ts';
import { parseHead } from './head.ts';

const [AF_INET, SOCK_STREAM, POLLIN] = [2, 1, 1];
const [MSG_PEEK, MSG_TRUNC, MSG_DONTWAIT, MSG_NOSIGNAL] = [0x2, 0x20, 0x40, 0x4000];

const libc = dlopen(null, {
  socket: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
  connect: { arguments: ['int32', 'arraybuffer', 'uint32'], return: 'int32' },
  send: { arguments: ['int32', 'arraybuffer', 'uint64', 'int32'], return: 'int64' },
  recv: { arguments: ['int32', 'arraybuffer', 'uint64', 'int32'], return: 'int64' },
  poll: { arguments: ['arraybuffer', 'uint64', 'int32'], return: 'int32' },
  close: { arguments: ['int32'], return: 'int32' },
}).functions;

/** Bytes. */
const mostOfHead = 64 * 1024;
/** Milliseconds. */
const patience = 60_000;

/** What is taken at once, at most. Of a body nothing is ever written there. */
const sink = Buffer.from(new ArrayBuffer(4 * 1024 * 1024));

interface Client {
  readonly socket: number;
  /** Of the body; undefined before its head. */
  left: number | undefined;
  /** What has come of the head. */
  greeting: string;
  asked: number;
}

/** One thread that does nothing else, so it waits in poll. Throws if an answer is not 200, or ends early. */
export function discard({ hostname, port, pathname, host }: URL, clients: number, times: number): Bodies {
  const request = Uint8Array.from(Buffer.from(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).buffer;
  const begun = performance.now();
  const each: number[] = [];
  let bytes = 0;

  function ask(client: Client): void {
    client.asked += 1;
    client.left = undefined;
    client.greeting = '';
    const sent = libc.send(client.socket, request, BigInt(request.byteLength), MSG_NOSIGNAL);
    if (Number(sent) !== request.byteLength) throw new Error('the connection ended early');
  }

  /** Takes once what there is, so that all have their turns. False: it is over. */
  function take(client: Client): boolean {
    if (client.left === undefined) begin(client);
    else {
      const count = receive(client.socket, client.left, MSG_TRUNC) ?? 0;
      client.left -= count;
      bytes += count;
    }
    if (client.left !== 0) return true;
    if (client.asked === times) return false;
    ask(client);
    return true;
  }

  /** Takes of the head what there is, and nothing of the body. */
  function begin(client: Client): void {
    const known = client.greeting.length;
    const seen = receive(client.socket, mostOfHead, MSG_PEEK);
    if (seen === undefined) return;
    client.greeting += sink.toString('latin1', 0, seen);
    const head = parseHead(client.greeting);
    client.left = head?.body;
    receive(client.socket, head === undefined ? seen : head.length - known, 0);
  }

  const running = new Map<number, Client>();
  for (let count = 0; count < clients; count++) {
    const client: Client = { socket: connectTo(hostname, Number(port)), left: undefined, greeting: '', asked: 0 };
    running.set(client.socket, client);
    ask(client);
  }
  while (running.size > 0) {
    for (const socket of waitFor([...running.keys()])) {
      const client = running.get(socket);
      if (client === undefined || take(client)) continue;
      libc.close(socket);
      running.delete(socket);
      each.push((performance.now() - begun) / 1000);
    }
  }
  return { bytes, each };
}

/** `host`: an IPv4 address. */
function connectTo(host: string, port: number): number {
  const socket = libc.socket(AF_INET, SOCK_STREAM, 0);
  const address = new DataView(new ArrayBuffer(16));
  address.setUint16(0, AF_INET, true);
  address.setUint16(2, port);
  host.split('.').forEach((part, index) => address.setUint8(4 + index, Number(part)));
  if (socket < 0 || libc.connect(socket, address.buffer, 16) !== 0) throw new Error(`no connection to ${host}:${port}`);
  return socket;
}

/** Undefined: there is nothing yet. */
function receive(socket: number, most: number, flags: number): number | undefined {
  const length = BigInt(Math.min(most, sink.length));
  const count = Number(libc.recv(socket, sink.buffer, length, flags | MSG_DONTWAIT));
  if (count === 0) throw new Error('the connection ended early');
  // Whatever is wrong, `poll` says it again, and then there is nothing to be read.
  return count < 0 ? undefined : count;
}

/** Of those sockets, the ones that have something. */
function waitFor(sockets: readonly number[]): number[] {
  const asked = new DataView(new ArrayBuffer(8 * sockets.length));
  sockets.forEach((socket, index) => {
    asked.setInt32(8 * index, socket, true);
    asked.setInt16(8 * index + 4, POLLIN, true);
  });
  const ready = libc.poll(asked.buffer, BigInt(sockets.length), patience);
  if (ready === 0) throw new Error('nothing came for a minute');
  // A signal.
  if (ready < 0) return [];
  return sockets.filter((_, index) => asked.getInt16(8 * index + 6, true) !== 0);
}
