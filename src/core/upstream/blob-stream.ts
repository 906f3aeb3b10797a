// The bytes of one answer with a blob: counted, watched, and broken where they do not keep what the head has promised.
import type { MirrorEvent } from '../mirror/events.ts';
import type { Clock } from '../mirror/ports.ts';
import type { ByteStream } from '../mirror/reply.ts';
import { RegistryError } from '../oci/errors.ts';
import { nonsense, unreachable } from './failure.ts';
import type { UpstreamResponse } from './fetch.ts';
import type { Patience } from './stalls.ts';

type Why = Extract<MirrorEvent, { kind: 'broke' }>['why'];

export interface StreamParts {
  readonly response: UpstreamResponse;
  readonly host: string;
  /** Bytes that were wanted, and bytes that were told. */
  readonly least: number;
  readonly most: number;
  /** Told of bytes now and then. */
  readonly report: (bytes: number) => void;
  readonly patience: () => Patience | undefined;
  /** Called when all is here. */
  readonly sent: () => void;
  /** Called when it broke, and nobody but who sent it can be why. */
  readonly broke: () => void;
  /** Called with how it came to no good end. */
  readonly breaks: (why: Why) => void;
  readonly clock: Pick<Clock, 'now'>;
  /** How many others can be asked for the rest. */
  readonly others: number;
  /** Of whoever wanted it. */
  readonly signal: AbortSignal;
}

const reportEvery = 4 * 1024 * 1024;
/** Milliseconds for which a reader may keep a sender waiting without being the reason why that gives up. */
const mostKept = 5000;

/** Throws UNAVAILABLE if the stream breaks, stalls or ends before what was wanted is here; also if it goes on after what was told. */
export function blobStream(parts: StreamParts): ByteStream {
  let left = false;
  const stream = counted(parts, new Pace(parts.clock), () => left);
  return {
    [Symbol.asyncIterator]: () => ({
      next: () => stream.next(),
      async return() {
        // A generator that has not begun does not run its `finally`, and one that waits does so later.
        left = true;
        parts.response.cancel();
        return stream.return(undefined);
      },
    }),
  };
}

async function* counted(
  parts: StreamParts,
  pace: Pace,
  left: () => boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { response, host, least, most, report, signal } = parts;
  let received = 0;
  let reported = 0;
  const patience = parts.patience();
  try {
    pace.reads();
    patience?.waits();
    for await (const chunk of response.body) {
      pace.pauses();
      patience?.brought(chunk.length);
      received += chunk.length;
      if (received > most) throw nonsense(host, 'sent more of a blob than there is');
      if (received - reported >= reportEvery) {
        report(received - reported);
        reported = received;
      }
      yield chunk;
      pace.reads();
      patience?.waits();
    }
    if (least < Infinity && received < least) throw new Error('the body is too short');
    parts.sent();
  } catch (error) {
    signal.throwIfAborted();
    if (left()) return;
    pace.pauses();
    parts.breaks(patience?.lost === true ? 'stall' : error instanceof RegistryError ? 'wrong' : 'short');
    // Every web server gives up on whom it can send nothing for a while.
    if (error instanceof RegistryError || pace.kept <= mostKept) parts.broke();
    if (error instanceof RegistryError) throw error;
    const cause = patience?.lost === true ? new Error('next to nothing came for too long') : error;
    throw unreachable(host, cause, parts.others);
  } finally {
    patience?.end();
    if (received > reported) report(received - reported);
    response.cancel();
  }
}

/** Who of reader and sender keeps the other waiting. What was buffered hides for a while that the sender is gone, so it adds up. */
class Pace {
  readonly #clock: Pick<Clock, 'now'>;
  #since: number;
  #kept = 0;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Milliseconds that the sender has waited for the reader, less those that the reader has waited since. */
  get kept(): number {
    return this.#kept;
  }

  reads(): void {
    this.#kept += this.#elapsed();
  }

  pauses(): void {
    this.#kept = Math.max(0, this.#kept - this.#elapsed());
  }

  #elapsed(): number {
    const before = this.#since;
    this.#since = this.#clock.now();
    return Math.max(0, this.#since - before);
  }
}
