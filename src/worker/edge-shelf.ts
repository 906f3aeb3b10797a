// Blobs in Cloudflare's cache, under the repository that they were fetched from: nobody here has hashed them.
import type { Content, Shelf } from '../core/mirror/ports.ts';
import { type RangeRequest, rangeHeader, resolveRange } from '../core/oci/range.ts';
import { type EdgeCache, kept, keyOf } from './edge-cache.ts';

/** Bytes of one object, on every plan but the largest. */
const largest = 512_000_000;

export function edgeShelf(cache: EdgeCache): Shelf {
  return {
    async stat(repository, digest) {
      const found = await cache.match(keyOf('blob', repository, digest));
      void found?.body?.cancel();
      return found && lengthOf(found.headers);
    },
    async open(repository, digest, range) {
      const key = keyOf('blob', repository, digest);
      const found = await cache.match(key, range === undefined ? {} : { range: rangeHeader(range) });
      if (found === undefined) return undefined;
      const content = contentOf(found, range);
      if (content === undefined) void found.body?.cancel();
      if (content !== undefined || range === undefined) return content;
      const size = await this.stat(repository, digest);
      if (size !== undefined) resolveRange(range, size);
      return undefined;
    },
    keep(repository, digest, size, bring) {
      if (size > largest) return false;
      cache.put(keyOf('blob', repository, digest), async () => {
        const content = await bring();
        return content && kept(wholeOf(content, size), size);
      });
      return true;
    },
  };
}

/** The body, which breaks if it has not that many bytes. */
export function wholeOf({ body, size, range }: Content, expected: number): ReadableStream {
  if (body.kind !== 'stream' || !(body.stream instanceof ReadableStream)) throw new Error('a shelf takes streams');
  if (size === expected && range === undefined) return body.stream.pipeThrough(new FixedLengthStream(expected));
  void body.stream.cancel();
  throw new Error('the upstream told another size than a moment ago');
}

function contentOf({ status, headers, body }: Response, asked: RangeRequest | undefined): Content | undefined {
  const stream = { kind: 'stream', stream: body ?? new Blob().stream() } as const;
  const told = status === 206 ? totalOf(headers) : lengthOf(headers);
  if (told === undefined || ![200, 206].includes(status)) return undefined;
  const range = asked && resolveRange(asked, told);
  // A suffix that is longer than the blob is the whole, and called so.
  const isWhole = status === 200 && range?.length !== told;
  return { size: told, range: isWhole ? undefined : range, body: stream };
}

function totalOf(headers: Headers): number | undefined {
  const [, total] = /^bytes \d+-\d+\/(\d+)$/.exec(headers.get('content-range') ?? '') ?? [];
  return total === undefined ? undefined : Number(total);
}

function lengthOf(headers: Headers): number | undefined {
  const length = headers.get('content-length');
  return length === null ? undefined : Number(length);
}
