// A blob on its way in: lanes write it to a sparse file, any number of readers read what is there.
import { Crew } from '../../core/mirror/crew.ts';
import { Intervals } from '../../core/mirror/intervals.ts';
import { type Want, nextMove } from '../../core/mirror/lanes.ts';
import {
  type BlobStore,
  type Clock,
  type Content,
  type Fill,
  type Incoming,
  type Source,
  letGo,
} from '../../core/mirror/ports.ts';
import { Sources } from '../../core/mirror/sources.ts';
import { wrong } from '../../core/mirror/wrong.ts';
import { type Digest, hexOf } from '../../core/oci/digest.ts';
import { RegistryError } from '../../core/oci/errors.ts';
import { type RangeRequest, resolveRange } from '../../core/oci/range.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { DiskReader } from './disk-reader.ts';
import { FrontHash } from './front-hash.ts';
import type { Load } from './load.ts';
import { Part, type PartParts } from './part.ts';
import { Progress } from './progress.ts';

export interface FillParts extends PartParts {
  readonly buffers: BufferPool;
  readonly clock: Clock;
  readonly load: Load;
  /** For whoever opens when all is over and the file is closed. */
  readonly open: BlobStore['open'];
}

export interface FillOrder {
  readonly digest: Digest;
  readonly sources: Iterable<Source>;
  /** Bytes, if they are known before the upstream is asked. */
  readonly expected: number | undefined;
  /** How many connections it may have at once. */
  readonly lanes: number;
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
  /** What was asked for before anybody asked the upstream. */
  readonly #early: (RangeRequest | undefined)[] = [];
  #part: Part | undefined;
  #crew: Crew | undefined;
  #hash: FrontHash | undefined;

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
    if (this.#part === undefined) this.#early.push(asked);
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
      wanted: (want) => this.#crew?.wanted(want),
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
    const { digest, expected, path, sources: all, signal } = this.#order;
    signal.throwIfAborted();
    // The file before the head, so that an upstream is not asked in vain. Room is made when it has said how much.
    const part = await Part.create(this.#parts, path, expected ?? 0);
    this.#part = part;
    const sources = new Sources(all);
    const until = AbortSignal.any([signal, this.#over.signal]);
    const { incoming, end } = await this.#askFirst(sources, until);
    await this.#beginWith(incoming, part);
    await this.#receive(incoming, end, part, sources, until);
    this.#progress.verify();
    await part.place(digest, this.#progress.front);
    return this.#progress.front;
  }

  /** Where the first readers want to begin, if it is known how large the blob is; else at the start. */
  async #askFirst(sources: Sources, signal: AbortSignal): Promise<{ incoming: Incoming; end: number | undefined }> {
    const { from, end } = firstQuestion(this.#early, this.#order.expected);
    try {
      const incoming = await sources.open(from, signal, end);
      if (incoming.offset !== from && incoming.offset !== 0) {
        throw await refused(incoming, wrong('did not begin where it was asked to'));
      }
      return { incoming, end: incoming.offset === from ? end : undefined };
    } catch (error) {
      // It may be that it makes no sense of a range.
      if (from === 0 || !(error instanceof RegistryError) || error.status !== 502) throw error;
      return { incoming: await sources.open(0, signal), end: undefined };
    }
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
      throw await refused(incoming, error);
    }
  }

  /** Until all is here and right. */
  async #receive(
    first: Incoming,
    end: number | undefined,
    part: Part,
    sources: Sources,
    signal: AbortSignal,
  ): Promise<void> {
    const { digest, lanes: most } = this.#order;
    const progress = this.#progress;
    const { size, here } = progress;
    const hash = new FrontHash(digest, part, progress, this.#parts.buffers);
    const write = async (chunk: Uint8Array, offset: number) => {
      await part.growTo(offset + chunk.length);
      // The disk writes while we hash.
      const written = part.write(chunk, offset);
      hash.pass(chunk, offset);
      await written;
      progress.add(offset, offset + chunk.length);
      hash.follow();
    };
    const { clock, load } = this.#parts;
    const wants = () => progress.wants;
    const crew = new Crew({ size, here, wants, write, sources, most, busy: () => load.busy, clock, signal });
    this.#crew = crew;
    this.#hash = hash;
    await crew.bringIn(first, end);
    if ((await hash.hex()) !== hexOf(digest)) throw wrong('sent bytes of another digest');
  }

  /** In this order: nobody reads on, then the file goes, then its room is free. */
  async #fail(error: Error): Promise<void> {
    this.#head.reject(error);
    this.#over.abort(error);
    this.#progress.fail(error);
    // Nobody writes to a file that is about to be closed, or takes room that has been given back.
    await this.#crew?.stopped();
    await this.#hash?.stopped();
    const discarded = this.#part?.discard();
    // What was verified may be read to its end, even if it could not be stored; that may take its time.
    if (this.#progress.verified) return;
    for (const reader of this.#readers) reader.stop();
    await discarded;
  }
}

/** The size of the blob, as far as it is known now. */
function checkHead({ size }: Incoming, expected: number | undefined): number | undefined {
  if (expected !== undefined && size !== undefined && size !== expected) {
    throw wrong(`tells ${size} bytes where the manifest tells ${expected}`);
  }
  return size ?? expected;
}

/** What to ask for before anything is known but, perhaps, the size. */
function firstQuestion(
  early: readonly (RangeRequest | undefined)[],
  size: number | undefined,
): { readonly from: number; readonly end: number | undefined } {
  const wants = early.map((asked) => wantOf(asked, size));
  const move = nextMove({ size, here: new Intervals(), lanes: [], wants, most: 1, companyHelps: true });
  if (size === undefined || move?.kind !== 'start') return { from: 0, end: undefined };
  return { from: move.from, end: move.to < size ? move.to : undefined };
}

/** A range that lies outside is refused when the upstream has told the size too. */
function wantOf(asked: RangeRequest | undefined, size: number | undefined): Want {
  const whole = { at: 0, end: size ?? Infinity };
  if (asked === undefined || size === undefined) return whole;
  try {
    const { offset, length } = resolveRange(asked, size);
    return { at: offset, end: offset + length };
  } catch {
    return whole;
  }
}

async function refused(incoming: Incoming, error: unknown): Promise<unknown> {
  await letGo(incoming);
  return error;
}
