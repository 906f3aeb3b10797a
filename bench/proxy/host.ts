// A host behind a proxy, in a process of its own: to whoever says anything it sends so many bytes, as fast as they are taken.
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

const size = Number(process.argv[2]);
const chunk = Buffer.alloc(256 * 1024, 7);

const server = createServer((socket) => {
  socket.on('error', () => {}).once('data', () => pour(socket, size));
});
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  process.send?.((server.address() as AddressInfo).port),
);
process.once('disconnect', () => process.exit());

function pour(socket: Socket, left: number): void {
  let rest = left;
  while (rest > 0) {
    const piece = rest < chunk.length ? chunk.subarray(0, rest) : chunk;
    rest -= piece.length;
    if (!socket.write(piece)) break;
  }
  if (rest > 0) socket.once('drain', () => pour(socket, rest));
  else socket.end();
}
