// What DNS does elsewhere: a proxy for clients that leads every name to one address, and can be asked in its place.
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';

export interface Names {
  /** For HTTP_PROXY, or of the address itself. */
  readonly url: string;
  /** The hosts that it was asked for, one for each request. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export async function startNames(address: string): Promise<Names> {
  const { hostname, port } = new URL(`http://${address}`);
  const log: string[] = [];
  const server = createServer((asked, answer) => {
    const { host, pathname, search } = new URL(asked.url ?? '', `http://${asked.headers.host}`);
    log.push(host);
    const { method, headers } = asked;
    request({ hostname, port, method, path: pathname + search, headers: { ...headers, host } }, (found) => {
      answer.writeHead(found.statusCode ?? 502, found.headers);
      pipeline(found, answer, () => {});
    })
      .on('error', () => answer.destroy())
      .end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: log,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
