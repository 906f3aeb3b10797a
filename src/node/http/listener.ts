// An HTTP listener: connections with their limits, requests in their order, and an end that lets what runs finish.
import type http from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../core/mirror/ports.ts';
import { createServer } from './builtin.ts';
import { Line } from './line.ts';
import { createTlsServer, type Shown } from './tls.ts';

/** What is done with whatever comes. One of them at a time for each connection; none rejects. */
export interface Turns {
  /** `isUrged`: whether more requests wait behind it on its connection, by now. */
  answer(request: http.IncomingMessage, response: http.ServerResponse, isUrged: () => boolean): Promise<void>;
  /** A CONNECT: the connection is whoever's this is, to its end. `head`: what came behind it. */
  connect(request: http.IncomingMessage, socket: Socket, head: Buffer): Promise<void> | void;
  /** Bytes that Node's parser does not take, or that did not come in time, with the code of its error. */
  malformed(socket: Duplex, code: string | undefined): void;
}

export interface Face {
  /** Not listening yet. */
  readonly server: http.Server;
  /**
   * Accepts nothing more and closes idle connections at once. Running replies may finish within that many milliseconds;
   * what is not over then is destroyed. Resolves when no connection is left and every turn knows that its client is gone.
   */
  close(within: number): Promise<void>;
}

/** Milliseconds, but for the size. */
const limits: http.ServerOptions = {
  maxHeaderSize: 64 * 1024,
  headersTimeout: 20_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5000,
  // Longer than the 90 s after which Go's clients let go of an idle connection: if we were first, a request could be on its way.
  keepAliveTimeout: 100_000,
};
const longestStall = 300_000;

/** `own`: where its limits are others. `shown`: by https with that certificate; else in plain HTTP. */
export function createListener(
  turns: Turns,
  clock: Clock,
  { own, shown }: { readonly own?: http.ServerOptions; readonly shown?: Shown | undefined } = {},
): Face {
  // `requireHostHeader`: Node's own answer to that has no body; ours has.
  const options = { ...limits, ...own, insecureHTTPParser: false, requireHostHeader: false };
  const { server, waiting } = shown === undefined ? plainServer(options) : createTlsServer(options, shown);
  const lines = new Map<Duplex, Line>();

  server.on(shown === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    lines.set(socket, new Line(socket));
    socket.once('close', () => lines.delete(socket));
    // Node takes its own listener away at a CONNECT, and an error that nobody listens to ends the process.
    socket.on('error', () => {});
  });

  const take = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const line = lines.get(request.socket);
    line?.answer(response, () => turns.answer(request, response, () => line.isUrged));
  };
  server.on('request', take);
  // A push announces itself with `Expect: 100-continue`, and is answered without having been told to go on.
  server.on('checkContinue', take);
  server.on('checkExpectation', take);

  server.on('connect', (request, _, head) => {
    const { socket } = request;
    lines.get(socket)?.join(() => turns.connect(request, socket, head));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const line = lines.get(socket);
    // A handshake that failed.
    if (line === undefined) socket.destroy();
    else line.break(() => turns.malformed(socket, error.code));
  });

  // Node's timer runs anew with every byte. A client that takes none is let go; one that waits for us is not.
  server.timeout = longestStall;
  server.on('timeout', (socket) => {
    if (lines.get(socket)?.idle !== false || socket.writableLength > 0) socket.destroy();
  });

  async function close(within: number): Promise<void> {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const line of lines.values()) line.close();
    for (const socket of waiting()) socket.destroy();
    const over = new AbortController();
    const late = clock.sleep(within, over.signal).then(
      () => lines.forEach((_, socket) => socket.destroy()),
      () => {},
    );
    await closed;
    // The server says that it is closed a moment before its last connections do, and only those end their pulls.
    await Promise.all([...lines.keys()].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    over.abort();
    await late;
  }

  return { server, close };
}

/** Without TLS a connection waits for nothing. */
function plainServer(options: http.ServerOptions): { readonly server: http.Server; readonly waiting: () => Socket[] } {
  return { server: createServer(options), waiting: () => [] };
}
