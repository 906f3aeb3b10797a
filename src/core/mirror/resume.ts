// An upstream that breaks in the middle of a blob is asked for the rest; whoever reads sees nothing of it.
import { RegistryError, Unreachable } from '../oci/errors.ts';
import { type Clock, type Incoming, type Source, letGo } from './ports.ts';
import { wrong } from './wrong.ts';

/** Milliseconds before each new attempt in a row; after the last one it is over. */
const waits: readonly number[] = [100, 500, 1000, 2000, 5000, 10_000];
/** Of all that together, and of what an upstream's `Retry-After` adds: no attempt begins later than this after the break. */
const longestRow = 20_000;
/** Bytes after which attempts are counted anew: fewer are no progress, but an upstream that plays with us. */
const progress = 64 * 1024;

export interface Resumption {
  /** Bytes of the whole blob, if they are known. */
  readonly size: number | undefined;
  /** Opens the rest: at the same endpoint or another, and with a new redirect if there was one. */
  readonly open: Source;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Where whoever reads it is, when a connection begins; not given: behind what he has got. What comes before that is left out. */
  readonly at?: () => number;
  /** Where it may stop, as of now; not given: at the end. */
  readonly end?: () => number | undefined;
  /** Others carry on if this one gives up: then an attempt that is refused is the last one. Who says so is taken at his word. */
  readonly spare?: () => boolean;
}
/**
 * The bytes of a blob from where `first` begins to the end. Without a `first`, one is asked for. Throws what broke it last, if
 * the upstream cannot be brought to go on; and at once if it says that there is no more to have (401, 403, 404).
 */
export async function* resumed(
  first: Incoming | undefined,
  resumption: Resumption,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = resumption.at?.() ?? first?.offset ?? 0;
  const attempts = new Attempts(resumption);
  let incoming = first ?? (await attempts.begin(position));
  for (;;) {
    position = resumption.at?.() ?? position;
    try {
      let at = incoming.offset;
      for await (const chunk of incoming.stream) {
        // An upstream that ignores ranges begins at the beginning.
        const known = Math.min(chunk.length, Math.max(0, position - at));
        at += chunk.length;
        if (known === chunk.length) continue;
        position = at;
        yield known === 0 ? chunk : chunk.subarray(known);
      }
      // A body without a length ends well wherever it is cut off.
      if (position >= (resumption.end?.() ?? resumption.size ?? 0)) return;
      throw wrong(`sent only ${position} of ${resumption.size} bytes`);
    } catch (error) {
      if (position >= (resumption.end?.() ?? Infinity)) return;
      incoming = await attempts.next(position, error);
    }
  }
}

/** New attempts after a break: everybody in turn, and each turn a little later than the one before, until one is answered. */
class Attempts {
  readonly #resumption: Resumption;
  /** Waits in a row. */
  #failures = 0;
  /** Since the last wait, so many others were asked at once. */
  #others = 0;
  #countedAt = 0;
  /** When the first failure of this row came. */
  #since = 0;

  constructor(resumption: Resumption) {
    this.#resumption = resumption;
  }

  async begin(position: number): Promise<Incoming> {
    try {
      return await this.#open(position);
    } catch (error) {
      if (this.#resumption.spare?.() === true) throw error;
      return this.next(position, error);
    }
  }

  async next(position: number, broken: unknown): Promise<Incoming> {
    const { clock, signal, spare } = this.#resumption;
    if (position - this.#countedAt >= progress) {
      this.#failures = 0;
      this.#others = 0;
    }
    if (this.#failures === 0 && this.#others === 0) this.#since = clock.now();
    this.#countedAt = position;
    for (let error = broken; ;) {
      const wait = waits[this.#failures];
      if (wait === undefined || !(error instanceof RegistryError) || !error.passing) throw error;
      const others = error instanceof Unreachable ? error.others : 0;
      if (this.#others < others) this.#others += 1;
      else {
        this.#others = 0;
        this.#failures += 1;
        const pause = Math.max(wait, error.retryAfter);
        if (clock.now() + pause - this.#since > longestRow) throw error;
        await clock.sleep(pause, signal);
      }
      try {
        return await this.#open(position);
      } catch (thrown) {
        if (spare?.() === true) throw thrown;
        error = thrown;
      }
    }
  }

  /** What is not about the same bytes is not about the same blob. */
  async #open(position: number): Promise<Incoming> {
    const { open, size, signal, end } = this.#resumption;
    const incoming = await open(position, signal, end?.());
    const sameSize = size === undefined || incoming.size === undefined || incoming.size === size;
    if (incoming.offset <= position && sameSize) return incoming;
    if (!sameSize) incoming.blame?.(false);
    await letGo(incoming);
    throw new RegistryError('UNAVAILABLE', 'the upstream goes on with something else', { status: 502 });
  }
}
