// Sends a reply: the head once, then the body at the client's pace, and never a clean end after a broken body.
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Pace } from '../../core/door/limit.ts';
import { type Body, type Reply, discard } from '../../core/mirror/reply.ts';
import { Outlet } from './outlet.ts';
import { type FileWays, sendFile } from './send-file.ts';

export interface Sent {
  /** Of the body, as far as the kernel has taken them. */
  readonly bytes: number;
  /** Those of them that went from the disk to the socket without being in this process. */
  readonly poured: number;
  /** The client was sent all that there is. */
  readonly whole: boolean;
  /** What broke the body when the head was already out; the connection was destroyed. */
  readonly error?: unknown;
}

const none: Body = { kind: 'none' };

/** Throws only if the reply has no proper head. Then nothing was sent, the body was let go of, and another reply may be sent. */
export async function send(
  reply: Reply,
  request: IncomingMessage,
  response: ServerResponse,
  ways: FileWays,
  pace?: Pace,
): Promise<Sent> {
  const bodiless = request.method === 'HEAD' || reply.status === 204 || reply.status === 304;
  const body = bodiless ? none : reply.body;
  const length = lengthOf(reply) ?? (body.kind === 'none' && !bodiless ? 0 : undefined);
  const outlet = new Outlet(response, bodiless ? 0 : length, pace);
  if (outlet.gone || bodiless) await discard(reply.body);
  if (outlet.gone) return { bytes: 0, poured: 0, whole: false };
  try {
    response.writeHead(reply.status, headersOf(reply, length));
  } catch (error) {
    await discard(body);
    throw error;
  }
  try {
    await sendBody(body, outlet, response, ways);
    const { bytes, poured, whole } = outlet;
    return { bytes, poured, whole };
  } catch (error) {
    const { bytes, poured, gone: left } = outlet;
    outlet.destroy();
    return { bytes, poured, whole: false, ...(left ? {} : { error }) };
  }
}

/** Throws whatever breaks the body. A client that leaves is no error: then the outlet is not whole. */
async function sendBody(body: Body, outlet: Outlet, response: ServerResponse, ways: FileWays): Promise<void> {
  switch (body.kind) {
    case 'none':
      break;
    case 'bytes':
      return outlet.end(body.bytes);
    case 'stream':
      // The first chunk may take long, and a client that hears nothing gives up: containerd after 30 seconds.
      response.flushHeaders();
      for await (const chunk of body.stream) if (!(await outlet.write(chunk))) break;
      break;
    case 'file':
      await sendFile(outlet, body.file, body.range, ways);
  }
  await outlet.end();
}

/** What a GET's body has, which is also what HEAD tells. Undefined if nobody knows. */
function lengthOf({ body, headers }: Reply): number | undefined {
  if (body.kind === 'bytes') return body.bytes.length;
  if (body.kind === 'file') return body.range?.length ?? body.file.size;
  const told = headers['content-length'];
  return told === undefined ? undefined : Number(told);
}

function headersOf({ headers }: Reply, length: number | undefined): OutgoingHttpHeaders {
  const copy: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) copy[name] = typeof value === 'string' ? value : [...value];
  if (length !== undefined) copy['content-length'] = length;
  return copy;
}
