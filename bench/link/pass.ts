// A connection over a link that models nothing: as fast as one process can carry it.
import { connect, type Socket } from 'node:net';

const length = 512 * 1024;

/** `carried` is called with the bytes that went to the client. */
export function pass(client: Socket, target: { host: string; port: number }, carried: (bytes: number) => void): void {
  const free: Uint8Array[] = [];
  const onread = {
    buffer: () => free.pop() ?? Buffer.allocUnsafe(length),
    callback(bytes: number, buffer: Uint8Array) {
      carried(bytes);
      return client.write(buffer.subarray(0, bytes), () => free.push(buffer));
    },
  };
  const upstream = connect({ ...target, noDelay: true, onread });
  client.setNoDelay(true);
  client.pipe(upstream);
  client.on('drain', () => upstream.resume());
  client.on('error', () => upstream.destroy());
  client.on('close', () => upstream.destroy());
  upstream.on('error', () => client.resetAndDestroy());
  upstream.on('end', () => client.end());
}
