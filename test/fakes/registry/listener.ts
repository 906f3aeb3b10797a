// An HTTP server on a loopback port of its own that logs what it is asked, and can go down and come back on the same port.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import type { Answer } from './levers.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  /** Without the question mark. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  /** Of a POST. */
  readonly form: string;
}

export abstract class Listener {
  /** Every request, in order of arrival. A test may empty it. */
  readonly log: Asked[] = [];
  readonly #server;
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      response.on('error', () => {});
      // A mistake in here shows as a connection that breaks.
      this.#take(request, response).catch((error: unknown) => response.destroy(error as Error));
    });
    this.#server.keepAliveTimeout = 60_000;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2);
    const form = request.method === 'POST' ? await readText(request) : '';
    const asked = { method: request.method ?? '', path, query, headers: request.headers, form };
    this.log.push(asked);
    await this.handle(asked, response);
  }

  protected abstract handle(asked: Asked, response: ServerResponse): Promise<void>;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  async up(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Cuts every connection and frees the port. */
  async down(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  /** Requests for a blob, a manifest, …: the path as a pattern, or a part of it. */
  asked(path: RegExp | string, method?: string): Asked[] {
    const matches = (text: string) => (typeof path === 'string' ? text.includes(path) : path.test(text));
    return this.log.filter((each) => matches(each.path) && (method === undefined || each.method === method));
  }
}

/** Sends the first canned answer that is for this request; false if none is. */
export async function canned(answers: readonly Answer[], asked: Asked, response: ServerResponse): Promise<boolean> {
  const url = asked.query === '' ? asked.path : `${asked.path}?${asked.query}`;
  const found = answers.find(
    (each) => each.path.test(url) && (each.method ?? asked.method) === asked.method && each.times !== 0,
  );
  if (found === undefined) return false;
  if (found.times !== undefined) found.times -= 1;
  await found.gate?.enter();
  send(asked, response, found.status, found.headers ?? {}, found.body ?? '');
  return true;
}

/** A whole answer, with its length; to HEAD without the body. */
export function send(
  asked: Asked,
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
  body: string | Uint8Array = '',
): void {
  response.writeHead(status, { 'content-length': Buffer.byteLength(body), ...headers });
  response.end(asked.method === 'HEAD' ? undefined : body);
}

/** An error in the words of the distribution-spec. */
export function fail(
  asked: Asked,
  response: ServerResponse,
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify({ errors: [{ code, message: 'so says the fake registry' }] });
  send(asked, response, status, { 'content-type': 'application/json', ...headers }, body);
}
