// Sends a blob, or a range of it, as the levers will have it.
import type { ServerResponse } from 'node:http';
import { parseRange, type Range, resolveRange } from '../../../src/core/oci/range.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';
import { sendBent } from './bent.ts';
import type { Blob } from './content.ts';
import type { BlobLevers } from './levers.ts';
import type { Asked } from './listener.ts';

const chunkLength = 256 * 1024;

export async function sendBlob(
  asked: Asked,
  response: ServerResponse,
  blob: Blob,
  levers: BlobLevers,
  headers: Record<string, string>,
): Promise<void> {
  const bend = asked.method === 'GET' ? levers.bend?.(asked, blob.digest) : undefined;
  if (bend !== undefined) return sendBent(asked, response, blob, bend);
  const size = blob.bytes.size;
  const range = levers.ranges && asked.method === 'GET' ? rangeOf(asked, size) : undefined;
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${size}`, 'content-length': 0 }).end();
    return;
  }
  const { offset, length } = range ?? { offset: 0, length: size };
  response.writeHead(range === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    ...headers,
    ...(levers.ranges && { 'accept-ranges': 'bytes' }),
    ...(levers.contentLength && { 'content-length': length }),
    ...(range && { 'content-range': `bytes ${offset}-${offset + length - 1}/${size}` }),
  });
  if (asked.method === 'HEAD') response.end();
  else await sendBody(response, blob, levers, offset, offset + length);
}

function rangeOf(asked: Asked, size: number): Range | 'unsatisfiable' | undefined {
  const request = parseRange(asked.headers.range);
  if (request === undefined) return undefined;
  try {
    return resolveRange(request, size);
  } catch (error) {
    if (error instanceof RegistryError) return 'unsatisfiable';
    throw error;
  }
}

async function sendBody(
  response: ServerResponse,
  blob: Blob,
  levers: BlobLevers,
  start: number,
  end: number,
): Promise<void> {
  // Asked anew for each chunk: levers are switched while a body goes out.
  const on = <Lever extends { digest?: string }>(lever: Lever | undefined) =>
    lever?.digest === undefined || lever.digest === blob.digest ? lever : undefined;
  response.flushHeaders();
  let stalled = false;
  for (let at = start; at < end && !response.destroyed;) {
    const sent = at - start;
    const stall = stalled ? undefined : on(levers.stall);
    const breakOff = on(levers.breakOff)?.times === 0 ? undefined : on(levers.breakOff);
    const throttle = on(levers.throttle);
    if (stall && sent >= stall.after) {
      stalled = true;
      await stall.gate.enter();
      continue;
    }
    if (breakOff && sent >= breakOff.after) {
      breakOff.times -= 1;
      await flushed(response);
      response.destroy();
      return;
    }
    await throttle?.gate.enter();
    const stops = [
      end,
      at + chunkLength,
      throttle && at + throttle.bytes,
      stall && start + stall.after,
      breakOff && start + breakOff.after,
    ];
    const next = Math.min(...stops.filter((stop) => stop !== undefined));
    const chunk = bent(blob, at, next - at, on(levers.lie)?.bytes);
    at += chunk.length;
    if (!response.write(chunk) && !response.destroyed) await drained(response);
  }
  response.end();
}

function bent(blob: Blob, offset: number, length: number, lie: 'all' | 'last' | undefined): Uint8Array {
  const chunk = blob.bytes.read(offset, length);
  if (lie === undefined) return chunk;
  const last = blob.bytes.size - 1;
  return chunk.map((byte, i) => (lie === 'all' || offset + i === last ? byte ^ 0xff : byte));
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

/** What was written has left the process: a destroyed socket drops what has not. */
function flushed(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => response.write('', () => resolve()));
}
