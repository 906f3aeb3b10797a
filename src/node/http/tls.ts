// A listener that ends TLS itself, and tells who speaks plain HTTP to it that it does.
import type http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { RegistryError } from '../../core/oci/errors.ts';
import { refuse } from './refuse.ts';

/** What is shown to clients, and may be another one some day. */
export interface Shown {
  readonly context: SecureContextOptions;
  /** Who comes from then on is shown the new one. */
  onExchange(take: (context: SecureContextOptions) => void): void;
}

/** Milliseconds from the connection to the end of the handshake. */
const handshakeWithin = 20_000;
/** The first byte of every TLS connection (RFC 8446, section 5.1). */
const handshakeRecord = 0x16;

export interface TlsServer {
  /** Tells of a connection, as `secureConnection`, when its handshake is over. */
  readonly server: https.Server;
  /** Connections whose handshake is not. */
  readonly waiting: () => Iterable<Socket>;
}

export function createTlsServer(options: http.ServerOptions, shown: Shown): TlsServer {
  const server = https.createServer({
    ...options,
    ...shown.context,
    handshakeTimeout: handshakeWithin,
    ALPNProtocols: ['http/1.1', 'http/1.0'],
  });
  shown.onExchange((context) => server.setSecureContext(context));

  const waiting = new Map<string, Socket>();
  // TLS makes another socket of each, which does not say of which.
  server.on('secureConnection', (socket) => {
    const plain = waiting.get(keyOf(socket));
    waiting.delete(keyOf(socket));
    // Node has none for TLS, whose own end most clients take for one although it is missing.
    socket.resetAndDestroy = () => {
      plain?.resetAndDestroy();
      return socket.destroy();
    };
  });
  const [accept] = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const key = keyOf(socket);
    waiting.set(key, socket);
    socket.once('close', () => {
      if (waiting.get(key) === socket) waiting.delete(key);
    });
    // Until TLS has its own, an error that nobody listens to would end the process.
    socket.on('error', () => {});
    socket.setTimeout(handshakeWithin, () => socket.destroy());
    socket.once('readable', () => {
      const first = socket.read(1) as Buffer | null;
      socket.setTimeout(0);
      if (first !== null) socket.unshift(first);
      if (first?.[0] === handshakeRecord) accept?.call(server, socket);
      else refuse(socket, new RegistryError('UNSUPPORTED', 'this address speaks https, not http', { status: 400 }));
    });
  });
  return { server, waiting: () => waiting.values() };
}

function keyOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
