// Who can be asked for the bytes of a blob. More may join while it is being fetched; who refuses is not asked again.
import { NoSenseOfRange, RegistryError } from '../oci/errors.ts';
import type { Incoming, Source } from './ports.ts';
import { wrong } from './wrong.ts';

/** So many answers in a row that made no sense to a question with a range: then the whole is asked for. */
const mostNonsense = 2;

export class Sources {
  readonly #all: Iterable<Source>;
  readonly #refused = new Set<Source>();
  #refusal = new RegistryError('UNAVAILABLE', 'there is nobody to ask for this blob');
  /** Could not answer, broke off or lagged behind, so others come first: by when, counted. */
  readonly #stumbledAt = new WeakMap<Source, number>();
  #stumbles = 0;
  readonly #sourceOf = new WeakMap<Incoming, Source>();
  #ranges = true;
  /** One of each source that has brought anything. */
  readonly #blame = new Set<NonNullable<Incoming['blame']>>();
  #nonsense = 0;

  /** `all`: live. */
  constructor(all: Iterable<Source>) {
    this.#all = all;
  }

  /** False: somebody sends the whole whatever is asked for, so that one connection is all that is of use. */
  get ranges(): boolean {
    return this.#ranges;
  }

  /** By the first that has it. Throws the last refusal (401, 403, 404) when nobody is left, and whatever else keeps one from answering. */
  async open(offset: number, signal: AbortSignal, end?: number): Promise<Incoming> {
    for (let source = this.#next(); source !== undefined; source = this.#next()) {
      try {
        const incoming = await this.#ask(source, offset, signal, end);
        if (incoming.blame !== undefined) this.#blame.add(incoming.blame);
        this.#sourceOf.set(incoming, source);
        return incoming;
      } catch (error) {
        if (!(error instanceof RegistryError && [401, 403, 404].includes(error.status))) {
          this.#putLast(source);
          throw error;
        }
        this.#refused.add(source);
        this.#refusal = error;
      }
    }
    throw this.#refusal;
  }

  /** That broke off, or lags behind: who else has the blob is asked before the one who sent it. */
  stumbled(incoming: Incoming): void {
    const source = this.#sourceOf.get(incoming);
    if (source !== undefined) this.#putLast(source);
  }

  /** What they brought is not what its digest says. `surely`: all of it was theirs. */
  blame(surely: boolean): void {
    for (const blame of this.#blame) blame(surely && this.#blame.size === 1);
  }

  #next(): Source | undefined {
    const when = (source: Source) => this.#stumbledAt.get(source) ?? 0;
    const left = [...this.#all].filter((source) => !this.#refused.has(source));
    return left.toSorted((one, other) => when(one) - when(other))[0];
  }

  #putLast(source: Source): void {
    this.#stumbles += 1;
    this.#stumbledAt.set(source, this.#stumbles);
  }

  async #ask(source: Source, offset: number, signal: AbortSignal, end: number | undefined): Promise<Incoming> {
    const ranged = offset > 0 || end !== undefined;
    if (!ranged || !this.#ranges) return source(0, signal);
    try {
      const incoming = await source(offset, signal, end);
      if (ignoresRange(incoming, offset, end)) this.#ranges = false;
      this.#nonsense = 0;
      return incoming;
    } catch (error) {
      const isDenied = error instanceof RegistryError && error.status === 416;
      const isNonsense = error instanceof NoSenseOfRange || (isDenied && !isEnd(error, offset));
      this.#nonsense = isNonsense ? this.#nonsense + 1 : 0;
      if (this.#nonsense >= mostNonsense) this.#ranges = false;
      // What we ask for lies within the size that was told: to deny it is as little an answer as any other nonsense.
      throw isDenied ? wrong('denies bytes that it said it had') : error;
    }
  }
}

function ignoresRange(incoming: Incoming, offset: number, end: number | undefined): boolean {
  if (offset > 0) return incoming.offset < offset;
  return end !== undefined && incoming.end !== undefined && incoming.end > end;
}

/** It tells another size than was told before. That may be wrong, but it makes sense of ranges. */
function isEnd({ status, headers }: RegistryError, offset: number): boolean {
  const { 'content-range': told } = headers;
  const size = typeof told === 'string' ? /^bytes \*\/(\d{1,15})$/.exec(told)?.[1] : undefined;
  return status === 416 && size !== undefined && Number(size) <= offset;
}
