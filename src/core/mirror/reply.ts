// The answer to a pull, as a value. Every face sends it in the fastest way that it has.
import type { Range } from '../oci/range.ts';
import type { Outcome } from './events.ts';

/** Chunks in order. A chunk belongs to the stream again as soon as the next one is asked for: copy what must be kept. */
export type ByteStream = AsyncIterable<Uint8Array>;

/** A file that is open, so that eviction cannot pull it away. Whoever gets one must close it, once. */
export interface HeldFile {
  readonly descriptor: number;
  /** Bytes of the whole file. */
  readonly size: number;
  close(): void;
  /** Known by now not to be what it is called: not another byte of it may be sent. */
  readonly bad?: boolean;
  /** It could not be read, or ended too early: the store had better look at it. */
  suspect?(): void;
}

export type Body =
  | { readonly kind: 'none' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'stream'; readonly stream: ByteStream }
  | { readonly kind: 'file'; readonly file: HeldFile; readonly range: Range | undefined };

/** Names in lower case. A header may occur more than once. */
export type Headers = Readonly<Record<string, string | readonly string[]>>;

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
  /** For log and metrics. */
  readonly outcome?: Outcome;
}

/** Lets go of a body that will not be sent. */
export async function discard(body: Body): Promise<void> {
  if (body.kind === 'file') body.file.close();
  if (body.kind === 'stream') await body.stream[Symbol.asyncIterator]().return?.();
}
