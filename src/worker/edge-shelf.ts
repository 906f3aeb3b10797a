// Blobs in Cloudflare's cache, under the repository that they were fetched from: nobody here has hashed them.
import type { Content, Shelf } from '../core/mirror/ports.ts';
import type { Digest } from '../core/oci/digest.ts';
import { isWhole, rangeHeader, resolveRange } from '../core/oci/range.ts';
import type { Repository } from '../core/oci/reference.ts';
import type { Doubts } from './doubts.ts';
import { type EdgeCache, kept, keyOf } from './edge-cache.ts';

/** Written when a blob is in, whole. workerd calls a put done whose body broke off half-way, and what has come by then is kept. */
interface Receipt {
  /** Which put it is for: the blob has it in its head. */
  readonly put: string;
  readonly size: number;
}

/** Bytes of one object, on every plan but the largest. */
const largest = 512_000_000;
const putHeader = 'x-sampan-put';

/** `address`: the client's, where it is known; without it nothing is doubted. */
export function edgeShelf(cache: EdgeCache, doubts: Doubts, address: string | undefined): Shelf {
  function receiptOf(repository: Repository, digest: Digest): Promise<Receipt | undefined> {
    return cache.record<Receipt>(keyOf('receipt', repository, digest));
  }

  return {
    holdsBack: (repository, digest, asked) =>
      address !== undefined && isWhole(asked) && doubts.raise(address, keyOf('blob', repository, digest)),
    stat: async (repository, digest) => (await receiptOf(repository, digest))?.size,
    async open(repository, digest, asked) {
      const receipt = await receiptOf(repository, digest);
      if (receipt === undefined) return undefined;
      const range = asked && resolveRange(asked, receipt.size);
      const headers: Record<string, string> = asked === undefined ? {} : { range: rangeHeader(asked) };
      const found = await cache.match(keyOf('blob', repository, digest), headers);
      if (found === undefined) return undefined;
      const stream = { kind: 'stream', stream: found.body ?? new Blob().stream() } as const;
      const length = Number(found.headers.get('content-length'));
      // A range of all there is may be answered with 200; and a cache may ignore any.
      const given = length === receipt.size ? receipt.size : (range?.length ?? receipt.size);
      const isRight = found.ok && length === given && found.headers.get(putHeader) === receipt.put;
      if (isRight && address !== undefined && isWhole(asked)) doubts.served(address, keyOf('blob', repository, digest));
      if (isRight) return { size: receipt.size, range: given === range?.length ? range : undefined, body: stream };
      void found.body?.cancel();
      return undefined;
    },
    keep(repository, digest, size, bring) {
      if (size > largest) return false;
      const put = crypto.randomUUID();
      let whole: Promise<void> | undefined;
      const make = async () => {
        const content = await bring();
        if (content === undefined) return undefined;
        const exact = exactly(content, size);
        whole = exact.whole;
        return kept(exact.stream, { 'content-length': String(size), [putHeader]: put });
      };
      const receipt = async () => {
        await whole;
        return kept(JSON.stringify({ put, size } satisfies Receipt));
      };
      cache.put(keyOf('blob', repository, digest), make, { key: keyOf('receipt', repository, digest), make: receipt });
      return true;
    },
  };
}

/** The body as a stream of that many bytes, and whether they have all come. */
export function exactly({ body, size, range }: Content, expected: number) {
  if (body.kind !== 'stream' || !(body.stream instanceof ReadableStream)) throw new Error('a shelf takes streams');
  if (size !== expected || range !== undefined) {
    void body.stream.cancel();
    throw new Error('the upstream told another size than a moment ago');
  }
  const { readable, writable } = new FixedLengthStream(expected);
  const whole: Promise<void> = body.stream.pipeTo(writable);
  // Whoever does not look is not told.
  whole.catch(() => undefined);
  return { stream: readable, whole };
}
