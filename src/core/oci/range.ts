// Byte ranges (RFC 9110, section 14): as asked, and as they turn out once the size is known.
import { RegistryError } from './errors.ts';

/** As a client asked for it. `last` is inclusive, as in the header. */
export type RangeRequest =
  | { readonly kind: 'from'; readonly offset: number }
  | { readonly kind: 'between'; readonly offset: number; readonly last: number }
  | { readonly kind: 'suffix'; readonly length: number };

/** A part of something whose size is known. Bytes; `length` is at least 1. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

const single = /^bytes=[ \t]*(?:(\d{1,16})-(\d{0,16})|-(\d{1,16}))[ \t]*$/i;

/**
 * A `Range` header with one range. Undefined for what may be ignored and answered with the whole: another unit, several
 * ranges, or anything malformed (RFC 9110, section 14.2). `500-0` is kept, because it is answered 416 (conformance suite).
 */
export function parseRange(header: string | undefined): RangeRequest | undefined {
  const match = header === undefined ? null : single.exec(header);
  if (match === null) return undefined;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) return { kind: 'suffix', length: Number(suffix) };
  if (last === undefined || last === '') return { kind: 'from', offset: Number(first) };
  return { kind: 'between', offset: Number(first), last: Number(last) };
}

/** It is well formed, and asks for nothing. */
export function isEmptyRange(asked: RangeRequest): boolean {
  if (asked.kind === 'between') return asked.last < asked.offset;
  return asked.kind === 'suffix' && asked.length === 0;
}

/** From the first byte to the last. */
export function isWhole(asked: RangeRequest | undefined): boolean {
  return asked === undefined || (asked.kind === 'from' && asked.offset === 0);
}

/** As it is asked for: `bytes=500-`. */
export function rangeHeader(asked: RangeRequest): string {
  if (asked.kind === 'suffix') return `bytes=-${asked.length}`;
  return `bytes=${asked.offset}-${asked.kind === 'between' ? asked.last : ''}`;
}

/** Where it begins and ends in what has that size; nothing is left of it if that is not after where it begins. */
export function clipRange(asked: RangeRequest, size: number): { readonly offset: number; readonly end: number } {
  const offset = asked.kind === 'suffix' ? Math.max(0, size - asked.length) : asked.offset;
  return { offset, end: asked.kind === 'between' ? Math.min(size, asked.last + 1) : size };
}

/** Clips to the size. Throws RANGE_INVALID (416, with `Content-Range: bytes *\/size`) if nothing is left. */
export function resolveRange(asked: RangeRequest, size: number): Range {
  const { offset, end } = clipRange(asked, size);
  if (offset >= end) {
    throw new RegistryError('RANGE_INVALID', `the range lies outside the blob's ${size} bytes`, {
      headers: { 'content-range': `bytes */${size}` },
    });
  }
  return { offset, length: end - offset };
}

/** `bytes 0-99/1000` */
export function contentRange(range: Range, size: number): string {
  return `bytes ${range.offset}-${range.offset + range.length - 1}/${size}`;
}
