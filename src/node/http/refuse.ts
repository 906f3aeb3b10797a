// What is answered, by hand, where there is no request to answer: bytes that are no HTTP, heads that are too large, CONNECT.
import type { Duplex } from 'node:stream';
import type { Headers } from '../../core/mirror/reply.ts';
import { RegistryError } from '../../core/oci/errors.ts';
import { STATUS_CODES } from './builtin.ts';

/** Sends the error and closes the connection. Whatever was asked on it before must have been answered. */
export function refuse(socket: Duplex, error: RegistryError): void {
  const { status, headers } = error;
  const phrase = STATUS_CODES[status] ?? '';
  sendByHand(socket, { status, phrase, headers, type: 'application/json', body: error.body() });
}

export interface ByHand {
  readonly status: number;
  /** Stands behind the status. ASCII, on one line. */
  readonly phrase: string;
  readonly headers: Headers;
  readonly type: string;
  readonly body: string;
}

/** Closes the connection behind it. */
export function sendByHand(socket: Duplex, { status, phrase, headers, type, body }: ByHand): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const head = [
    `HTTP/1.1 ${status} ${phrase}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value.toString()}`),
    `content-type: ${type}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** What is wrong with bytes that Node's parser does not take, by the code of its error. */
export function malformed(code: string | undefined): RegistryError {
  const [status, message] = known[code ?? ''] ?? [400, 'this is not an HTTP request'];
  return new RegistryError('UNSUPPORTED', message, { status });
}

const known: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the head of the request is too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request took too long to arrive'],
};
