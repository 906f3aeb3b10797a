// Bodies that are read whole: to a limit, in their own bytes, in bounded time.
import type { Clock } from '../mirror/ports.ts';
import { nonsense, unreachable } from './failure.ts';
import { type UpstreamResponse, header } from './fetch.ts';

/** Of an answer that is not wanted, so much is read for the sake of its connection: more would cost more than a new one. */
const mostDrained = 64 * 1024;
const mostDrops = 8;
/** A body that stalls is ended before (`patience.ts`); this ends one that brings just enough for that. */
const longest = 60_000;

/** Lets go of an answer whose body is not wanted. Never rejects, so nobody need wait for it. */
export async function drain(response: UpstreamResponse): Promise<void> {
  let left = mostDrained;
  let drops = 0;
  try {
    for await (const chunk of response.body) {
      left -= chunk.length;
      drops += 1;
      if (left < 0 || drops === mostDrops) break;
    }
  } catch {
    // Its connection broke, and nobody wanted the rest.
  } finally {
    response.cancel();
  }
}

/** Bytes of what is read whole. */
export interface Longest {
  readonly manifest: number;
  readonly list: number;
}

/** As an error names a limit. */
export function mebibytes(bytes: number): string {
  return `${bytes / (1024 * 1024)} MiB`;
}

/** All bytes, or undefined if there are more than `limit`. Throws UNAVAILABLE if the connection breaks. */
export async function readWhole(
  response: UpstreamResponse,
  limit: number,
  host: string,
  clock: Clock,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const until = clock.now() + longest;
  try {
    for await (const chunk of response.body) {
      length += chunk.length;
      if (length > limit) return undefined;
      if (clock.now() > until) throw new Error('the body took too long');
      chunks.push(chunk.slice());
    }
  } catch (error) {
    throw unreachable(host, error);
  } finally {
    response.cancel();
  }
  return joined(chunks, length);
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** Throws UNAVAILABLE (502) for an encoded body: its bytes would not be the ones that the digest is of. */
export function refuseEncoded(response: UpstreamResponse, host: string): void {
  const encoding = header(response.headers, 'content-encoding')?.trim().toLowerCase();
  if (encoding === undefined || encoding === '' || encoding === 'identity') return;
  response.cancel();
  throw nonsense(host, 'sent an encoded body, although it was asked not to');
}

/** Throws UNAVAILABLE (502) for a page in place of a blob: boxes between us and a registry answer everything with one, and 200. */
export function refusePage(response: UpstreamResponse, host: string): void {
  if (mediaTypeOf(response) !== 'text/html') return;
  response.cancel();
  throw nonsense(host, 'sent a page where a blob was expected');
}

/** Without its parameters, in lower case. Empty if there is none. */
export function mediaTypeOf(response: UpstreamResponse): string {
  const [type = ''] = (header(response.headers, 'content-type') ?? '').split(';', 1);
  return type.trim().toLowerCase();
}

/** What the bytes say in JSON; undefined if they say nothing in it. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** An object of JSON, whose members are still anything. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Bytes that Content-Length promises, if it does. */
export function lengthOf(response: UpstreamResponse): number | undefined {
  const text = header(response.headers, 'content-length');
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
