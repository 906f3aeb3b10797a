// Where TLS of an intercepted client ends: with a certificate of our own, and requests that are answered as its registry.
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { Clock } from '../../core/mirror/ports.ts';
import { createListener, type Face } from '../http/listener.ts';
import { malformed, refuse } from '../http/refuse.ts';
import { readOnly } from '../../core/oci/pull.ts';
import { type Guest, type GuestParts, Guests } from './guests.ts';
import type { Leaves } from './leaves.ts';
import type { Intercept } from './traffic.ts';

export interface InterceptParts extends GuestParts {
  readonly leaves: Leaves;
  readonly clock: Clock;
}

export interface Interception {
  readonly take: Intercept;
  /** As a listener's. */
  readonly close: Face['close'];
}

/** Milliseconds for the handshake. */
const handshakeWithin = 10_000;

export function createInterception({ leaves, ...parts }: InterceptParts): Interception {
  const guests = new Guests(parts);
  const bySocket = new WeakMap<Duplex, Guest>();
  const face = createListener(
    {
      async answer(request, response) {
        const guest = bySocket.get(request.socket);
        if (guest !== undefined) await guests.answer(guest, request, response);
      },
      connect: (_, socket) => refuse(socket, readOnly()),
      malformed: (socket, code) => refuse(socket, malformed(code)),
    },
    parts.clock,
    // A push takes as long as its layers are large.
    { own: { requestTimeout: 0 } },
  );
  // It never listens: connections come from the proxy. Node begins to look after those that send no head only now.
  face.server.emit('listening');

  return {
    close: (within) => face.close(within),
    async take(socket, { head, host }, registry, client) {
      const [came, went] = [socket.bytesRead - head.length, socket.bytesWritten];
      // Node reads from the connection itself from now on, past the timer of its listener.
      socket.setTimeout(0);
      socket.unshift(head);
      const secureContext = leaves.contextFor(host);
      const secure = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
      const broken = await handshake(secure);
      if (broken === undefined) {
        bySocket.set(secure, { host, registry, client });
        face.server.emit('connection', secure);
      }
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
      const traffic = { sent: socket.bytesRead - came, received: socket.bytesWritten - went };
      return broken === undefined ? { ...traffic, ended: 'done' } : { ...traffic, ended: 'client', error: broken };
    },
  };
}

/** What broke it, if it did; then the connection is closed, or will be. */
function handshake(secure: TLSSocket): Promise<Error | undefined> {
  const { promise, resolve } = Promise.withResolvers<Error | undefined>();
  const late = (): void => void secure.destroy(new Error(`no handshake within ${handshakeWithin / 1000} s`));
  secure.setTimeout(handshakeWithin, late);
  secure.on('error', resolve);
  secure.once('close', () => resolve(new Error('the client left in the middle of the handshake')));
  secure.once('secure', () => {
    secure.setTimeout(0, late);
    resolve(undefined);
  });
  return promise;
}
