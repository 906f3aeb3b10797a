// Waits on a connection for the client's first message of TLS, and keeps what has come until then.
import type { Socket } from 'node:net';
import { type Hello, readClientHello } from './client-hello.ts';
import type { Rounds, Watched } from '../../core/oci/rounds.ts';

/** Milliseconds. */
const within = 10_000;

/** `no-hello`: it did not come in time; `client`: that one has gone. */
export type Awaited =
  | { readonly name: string | undefined; readonly bytes: Buffer }
  | Exclude<Hello, 'more' | object>
  | 'no-hello'
  | 'client';

/** Leaves the socket paused. `head`: what came already. */
export function awaitHello(socket: Socket, head: Buffer, rounds: Rounds): Promise<Awaited> {
  const { promise, resolve } = Promise.withResolvers<Awaited>();
  const until = rounds.now() + within;
  const watched: Watched = { look: (time) => time >= until && finish('no-hello') };
  const left = (): void => finish('client');
  let bytes = head;

  function read(chunk: Buffer): void {
    bytes = Buffer.concat([bytes, chunk]);
    const hello = readClientHello(bytes);
    if (hello !== 'more') finish(typeof hello === 'string' ? hello : { name: hello.name, bytes });
  }
  function finish(awaited: Awaited): void {
    rounds.delete(watched);
    socket.pause();
    socket.off('data', read).off('end', left).off('close', left);
    resolve(awaited);
  }

  rounds.add(watched);
  socket.on('data', read).on('end', left).on('close', left);
  // Nothing more is told of who has gone before.
  if (socket.destroyed || socket.readableEnded) left();
  else read(Buffer.alloc(0));
  return promise;
}
