// A blob on its way in: one lane writes it to a file, any number of readers follow in that file.
import { createHash } from 'node:crypto';
import type { BlobStore, Clock, Content, Fill, Incoming, Source } from '../../core/mirror/ports.ts';
import type { ByteStream } from '../../core/mirror/reply.ts';
import { resumed } from '../../core/mirror/resume.ts';
import { algorithmOf, type Digest, hexOf } from '../../core/oci/digest.ts';
import { RegistryError } from '../../core/oci/errors.ts';
import { type RangeRequest, resolveRange } from '../../core/oci/range.ts';
import type { BufferPool } from './buffer-pool.ts';
import { DiskReader } from './disk-reader.ts';
import { Part, type PartParts } from './part.ts';
import { Progress } from './progress.ts';

export interface FillParts extends PartParts {
  readonly buffers: BufferPool;
  readonly clock: Clock;
  /** For whoever opens when all is over and the file is closed. */
  readonly open: BlobStore['open'];
}

export interface FillOrder {
  readonly digest: Digest;
  readonly sources: Iterable<Source>;
  /** Bytes, if they are known before the upstream is asked. */
  readonly expected: number | undefined;
  /** Where it is written to; nothing is there yet. */
  readonly path: string;
  /** Stops it. */
  readonly signal: AbortSignal;
}

export class DiskFill implements Fill {
  readonly size: Promise<number | undefined>;
  readonly done: Promise<void>;
  readonly #parts: FillParts;
  readonly #order: FillOrder;
  readonly #progress = new Progress();
  readonly #readers = new Set<DiskReader>();
  readonly #head = Promise.withResolvers<number | undefined>();
  /** Tells the sources that nothing more is wanted. */
  readonly #over = new AbortController();
  #part: Part | undefined;

  constructor(parts: FillParts, order: FillOrder) {
    this.#parts = parts;
    this.#order = order;
    this.size = this.#head.promise;
    this.done = this.#run();
    // Perhaps nobody looks at them; whoever does gets the rejection all the same.
    this.size.catch(() => undefined);
    this.done.catch(() => undefined);
  }

  async open(asked?: RangeRequest): Promise<Content> {
    const size = await this.size;
    const range = asked === undefined || size === undefined ? undefined : resolveRange(asked, size);
    if (this.#progress.failure !== undefined) throw this.#progress.failure;
    const file = this.#part?.file;
    const release = file?.tryHold();
    if (file === undefined || release === undefined) return this.#openStored(asked);
    const reader: DiskReader = new DiskReader({
      handle: file.handle,
      progress: this.#progress,
      buffers: this.#parts.buffers,
      // Who asks for a bounded range or a suffix verifies for himself.
      holdBack: range === undefined || asked?.kind === 'from',
      range,
      left: () => {
        this.#readers.delete(reader);
        release();
      },
    });
    this.#readers.add(reader);
    return { size, range, body: { kind: 'stream', stream: reader } };
  }

  async #openStored(asked: RangeRequest | undefined): Promise<Content> {
    await this.done;
    const content = await this.#parts.open(this.#order.digest, asked);
    if (content === undefined) throw new RegistryError('UNAVAILABLE', 'the blob has been evicted in the meantime');
    return content;
  }

  async #run(): Promise<void> {
    const { clock, report } = this.#parts;
    const { digest } = this.#order;
    const startedAt = clock.now();
    try {
      const size = await this.#bringIn();
      report({ kind: 'stored', digest, size, ms: clock.now() - startedAt });
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error('the upstream broke', { cause: thrown });
      await this.#fail(error);
      report({ kind: 'fill-failed', digest, error });
      throw error;
    }
  }

  async #bringIn(): Promise<number> {
    const { digest, expected, path, sources, signal } = this.#order;
    signal.throwIfAborted();
    // Room and file before the head, so that an upstream is not asked in vain.
    const part = await Part.create(this.#parts, path, expected ?? 0);
    this.#part = part;
    const open: Source = (offset, until) => openFirst(sources, offset, until);
    const until = AbortSignal.any([signal, this.#over.signal]);
    const incoming = await open(0, until);
    await this.#beginWith(incoming, part);
    const { clock } = this.#parts;
    await this.#receive(resumed(incoming, { size: this.#progress.size, open, clock, signal: until }), part);
    this.#progress.verify();
    await part.place(digest, this.#progress.front);
    return this.#progress.front;
  }

  async #beginWith(incoming: Incoming, part: Part): Promise<void> {
    try {
      this.#order.signal.throwIfAborted();
      const size = checkHead(incoming, this.#order.expected);
      if (size === undefined) await part.growTo(1);
      else await part.expect(size);
      this.#progress.expect(size);
      this.#head.resolve(size);
    } catch (error) {
      await cancel(incoming);
      throw error;
    }
  }

  /** Until all is here and right. */
  async #receive(stream: ByteStream, part: Part): Promise<void> {
    const { digest, signal } = this.#order;
    const progress = this.#progress;
    const hash = createHash(algorithmOf(digest));
    for await (const chunk of stream) {
      signal.throwIfAborted();
      const end = progress.front + chunk.length;
      if (end > (progress.size ?? Infinity)) throw wrong(`sends more than the ${progress.size} bytes that were told`);
      await part.growTo(end);
      // The disk writes while we hash.
      const written = part.write(chunk, progress.front);
      hash.update(chunk);
      await written;
      progress.advance(chunk.length);
    }
    signal.throwIfAborted();
    const { front, size = front } = progress;
    if (front < size) throw wrong(`sent only ${front} of ${size} bytes`);
    if (hash.digest('hex') !== hexOf(digest)) throw wrong('sent bytes of another digest');
  }

  /** In this order: nobody reads on, then the file goes, then its room is free. */
  async #fail(error: Error): Promise<void> {
    this.#head.reject(error);
    this.#over.abort(error);
    this.#progress.fail(error);
    const discarded = this.#part?.discard();
    // What was verified may be read to its end, even if it could not be stored; that may take its time.
    if (this.#progress.verified) return;
    for (const reader of this.#readers) reader.stop();
    await discarded;
  }
}

/** The size of the blob, as far as it is known now. */
function checkHead({ offset, size }: Incoming, expected: number | undefined): number | undefined {
  if (offset !== 0) throw wrong('did not begin where it was asked to');
  if (expected !== undefined && size !== undefined && size !== expected) {
    throw wrong(`tells ${size} bytes where the manifest tells ${expected}`);
  }
  return size ?? expected;
}

/** The first that has it. Who may not see it, or has not got it, is left out; the last such answer is what is told. */
async function openFirst(sources: Iterable<Source>, offset: number, signal: AbortSignal): Promise<Incoming> {
  let refusal = new RegistryError('UNAVAILABLE', 'there is nobody to ask for this blob');
  for (const source of sources) {
    try {
      return await source(offset, signal);
    } catch (error) {
      if (!(error instanceof RegistryError && [401, 403, 404].includes(error.status))) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

/** Lets go of a stream that nobody will read; how that ends is nobody's concern. */
async function cancel(incoming: Incoming): Promise<void> {
  await incoming.stream[Symbol.asyncIterator]()
    .return?.()
    .catch(() => undefined);
}

function wrong(what: string): RegistryError {
  return new RegistryError('UNAVAILABLE', `the upstream ${what}`, { status: 502 });
}
