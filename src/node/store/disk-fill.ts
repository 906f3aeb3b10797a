// A blob on its way in: lanes write it to a sparse file, any number of readers read what is there.
import { Crew } from '../../core/mirror/crew.ts';
import {
  type BlobStore,
  type Clock,
  type Content,
  type Fill,
  type Incoming,
  NoRoom,
  type Source,
  letGo,
} from '../../core/mirror/ports.ts';
import type { Interval } from '../../core/mirror/intervals.ts';
import type { Want } from '../../core/mirror/lanes.ts';
import { Sources } from '../../core/mirror/sources.ts';
import { Wrong, wrong } from '../../core/mirror/wrong.ts';
import { hexOf } from '../../core/oci/digest.ts';
import { RegistryError } from '../../core/oci/errors.ts';
import { type RangeRequest, resolveRange } from '../../core/oci/range.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { DiskReader } from './disk-reader.ts';
import { type First, askFirst, firstQuestion } from './first-question.ts';
import { FrontHash } from './front-hash.ts';
import { Recheck } from './recheck.ts';
import type { Load } from './load.ts';
import { Part, type PartOrder, type PartParts } from './part.ts';
import { Progress } from './progress.ts';

export interface FillParts extends PartParts {
  readonly buffers: BufferPool;
  readonly clock: Clock;
  readonly load: Load;
  /** For whoever opens when all is over and the file is closed. */
  readonly open: BlobStore['open'];
}

export interface FillOrder extends PartOrder {
  readonly sources: Iterable<Source>;
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
  /** All is here or believed to be: that crew is at its end, and what is lost from now on is for another one. */
  #crewIsDone = false;
  #hash: FrontHash | undefined;
  #recheck: Recheck | undefined;

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
      wanted: (want) => this.#wanted(want),
      left: () => {
        this.#readers.delete(reader);
        release();
      },
    });
    this.#readers.add(reader);
    return { size, range, body: { kind: 'stream', stream: reader } };
  }

  #wanted(want: Want): void {
    if (!this.#crewIsDone) this.#crew?.wanted(want);
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
      report({ kind: 'stored', digest, size, kept: this.#recheck?.bytes ?? 0, ms: clock.now() - startedAt });
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error('the upstream broke', { cause: thrown });
      await this.#fail(error);
      report({ kind: 'fill-failed', digest, error });
      throw error;
    }
  }

  async #bringIn(): Promise<number> {
    const { digest, sources: all, signal } = this.#order;
    signal.throwIfAborted();
    const sources = new Sources(all);
    const until = AbortSignal.any([signal, this.#over.signal]);
    const { first, part } = await this.#begin(sources, until);
    await this.#beginWith(first.incoming, part);
    await this.#receive(first, part, sources, until);
    this.#progress.verify();
    await part.place(digest, this.#progress.front);
    return this.#progress.front;
  }

  /** The file before the head, so that an upstream is not asked in vain. Room is made when it has said how much. */
  async #begin(sources: Sources, signal: AbortSignal): Promise<{ first: First; part: Part }> {
    const { expected } = this.#order;
    const part = await Part.adopt(this.#parts, this.#order);
    if (part?.left !== undefined) {
      this.#part = part;
      this.#progress.believe(part.left.stretches);
      const question = firstQuestion(this.#early, part.left.size, this.#progress.covered);
      const first = await askFirst(sources, question, signal);
      // However much of it is here, the upstream vouches for it; and it has to be the same blob, of which it sends parts.
      if (first.incoming.size === part.left.size && first.incoming.offset === question.from) return { first, part };
      await letGo(first.incoming);
      this.#progress.believe([]);
      await part.discard();
    }
    this.#part = await Part.create(this.#parts, this.#order);
    return { first: await askFirst(sources, firstQuestion(this.#early, expected), signal), part: this.#part };
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
  async #receive(first: First, part: Part, sources: Sources, signal: AbortSignal): Promise<void> {
    const { digest } = this.#order;
    const { buffers } = this.#parts;
    const progress = this.#progress;
    const hash = new FrontHash(digest, part, progress, buffers);
    this.#hash = hash;
    const { size, covered: here } = progress;
    const write = async (chunk: Uint8Array, offset: number) => {
      await part.growTo(offset + chunk.length);
      // The disk writes while we hash.
      const written = part.write(chunk, offset);
      hash.pass(chunk, offset);
      await written;
      progress.add(offset, offset + chunk.length);
      if (here.total === size) this.#crewIsDone = true;
      hash.follow();
    };
    const lost = ({ start, end }: Interval) => this.#wanted({ at: start, end });
    const recheck = new Recheck({ part, progress, buffers, found: () => hash.follow(), lost, signal });
    this.#recheck = recheck;
    const { lanes: most } = this.#order;
    const { clock, load } = this.#parts;
    const wants = () => progress.wants;
    const newCrew = () => {
      this.#crewIsDone = false;
      return (this.#crew = new Crew({ size, here, wants, write, sources, most, busy: () => load.busy, clock, signal }));
    };
    // The question may have been for the sake of the answer alone.
    if (part.left !== undefined && here.total === size) await letGo(first.incoming);
    else await newCrew().bringIn(first.incoming, first.end);
    // What was believed to be in the file and is not, if nobody is at it any more when that comes out.
    if (size !== undefined) while ((await recheck.missing(size)) !== undefined) await newCrew().bringInRest();
    if ((await hash.hex()) === hexOf(digest)) return;
    // What was here before may have been somebody else's.
    sources.blame(part.left === undefined);
    throw wrong('sent bytes of another digest');
  }

  /** In this order: nobody reads on, then the file is let go of, then its room is free. */
  async #fail(error: Error): Promise<void> {
    this.#over.abort(error);
    this.#progress.fail(error);
    // Nobody writes to a file that is about to be closed, or takes room that has been given back.
    await this.#crew?.stopped();
    await this.#recheck?.stopped();
    await this.#hash?.stopped();
    const released = isWorthContinuing(error) ? this.#part?.leave() : this.#part?.discard();
    // What was verified may be read to its end, even if it could not be stored; that may take its time.
    if (this.#progress.verified) return;
    for (const reader of this.#readers) reader.stop();
    await released;
    // Whoever is told this may ask again at once, and is to find what was left.
    this.#head.reject(error);
  }
}

/** Whatever breaks an upstream, ends us or takes the room does not make the bytes wrong that are here. */
function isWorthContinuing(error: Error): boolean {
  return error instanceof NoRoom ? error.reason === 'full' : !(error instanceof Wrong);
}

/** The size of the blob, as far as it is known now. */
function checkHead({ size, blame }: Incoming, expected: number | undefined): number | undefined {
  if (expected !== undefined && size !== undefined && size !== expected) {
    blame?.(false);
    throw wrong(`tells ${size} bytes where the manifest tells ${expected}`);
  }
  return size ?? expected;
}

async function refused(incoming: Incoming, error: unknown): Promise<unknown> {
  await letGo(incoming);
  return error;
}
