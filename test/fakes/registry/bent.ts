// Sends a blob with one thing wrong at one byte of it, whichever range is asked for.
import type { ServerResponse } from 'node:http';
import { parseRange, type Range, type RangeRequest, resolveRange } from '../../../src/core/oci/range.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import type { Blob } from './content.ts';
import type { Gate } from './gate.ts';
import { type Asked, send } from './listener.ts';

/** How one answer goes wrong. Offsets are the blob's, not the answer's. With nothing given it does not. */
export interface Bend {
  /** In place of the blob. */
  readonly refusal?: { readonly status: number; readonly headers?: Readonly<Record<string, string>> };
  /** To a range: the whole (200), or a few other bytes (206). */
  readonly range?: 'ignored' | 'other';
  /** Bytes that it says there are. It sends no more of them than there are. */
  readonly claims?: number;
  /** False: no Content-Length. */
  readonly length?: boolean;
  /** One bit of this byte is wrong. */
  readonly flip?: number;
  /** Before this byte. `reset`: RST; `cut`: FIN; `end`: a body that ends as if it were whole. */
  readonly breaks?: { readonly at: number; readonly how: 'reset' | 'cut' | 'end'; readonly stall?: Gate };
  /** Waits there before this byte. */
  readonly hold?: { readonly at: number; readonly gate: Gate };
  /** Told what has been written. */
  readonly wrote?: (bytes: number) => void;
}

const chunkLength = 64 * 1024;
/** What `other` sends: so few that the bytes count for nothing. */
const otherRange: Range = { offset: 1, length: 10 };

export async function sendBent(asked: Asked, response: ServerResponse, blob: Blob, bend: Bend): Promise<void> {
  if (bend.refusal !== undefined) return send(asked, response, bend.refusal.status, bend.refusal.headers);
  const total = bend.claims ?? blob.bytes.size;
  const range = rangeOf(parseRange(asked.headers.range), total, bend);
  if (range === 'unsatisfiable') return send(asked, response, 416, { 'content-range': `bytes */${total}` });
  const { offset, length } = range ?? { offset: 0, length: total };
  response.writeHead(range === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    ...(bend.length !== false && { 'content-length': length }),
    ...(range && { 'content-range': `bytes ${offset}-${offset + length - 1}/${total}` }),
  });
  response.flushHeaders();
  const end = offset + length;
  const has = Math.min(end, blob.bytes.size);
  const { breaks } = bend;
  const breakAt = breaks === undefined ? Infinity : Math.max(offset, breaks.at);
  await sendBytes(response, blob, bend, offset, Math.min(has, breakAt));
  await flushed(response);
  if (breaks !== undefined && breakAt < end) {
    await breaks.stall?.enter();
    if (breaks.how === 'reset') response.socket?.resetAndDestroy();
    else if (breaks.how === 'cut') response.socket?.end();
    else response.end();
  } else if (has < end) response.socket?.end();
  else response.end();
}

function rangeOf(asked: RangeRequest | undefined, total: number, bend: Bend): Range | 'unsatisfiable' | undefined {
  if (asked === undefined || bend.range === 'ignored') return undefined;
  if (bend.range === 'other') return otherRange;
  try {
    return resolveRange(asked, total);
  } catch (error) {
    if (error instanceof RegistryError) return 'unsatisfiable';
    throw error;
  }
}

async function sendBytes(response: ServerResponse, blob: Blob, bend: Bend, start: number, end: number): Promise<void> {
  const { hold, flip } = bend;
  for (let at = start; at < end && !response.destroyed;) {
    if (at === hold?.at) await hold.gate.enter();
    const stop = Math.min(end, at + chunkLength, hold !== undefined && at < hold.at ? hold.at : end);
    const chunk = Buffer.from(blob.bytes.read(at, stop - at));
    if (flip !== undefined && at <= flip && flip < stop) chunk[flip - at] = (chunk[flip - at] ?? 0) ^ 1;
    at += chunk.length;
    bend.wrote?.(chunk.length);
    if (!response.write(chunk)) await flushed(response);
  }
}

/** What was written has left the process, or never will. */
function flushed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('close', done);
      resolve();
    };
    response.once('close', done);
    response.write('', done);
  });
}
