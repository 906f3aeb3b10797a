// An upstream that sends when the test says so.
import type { Source } from '../../../src/core/mirror/ports.ts';
import { RegistryError } from '../../../src/core/oci/errors.ts';

interface Portion {
  readonly bytes: Uint8Array | undefined;
  readonly error?: Error;
  readonly taken: () => void;
}

export class Faucet {
  readonly #size: number | undefined;
  readonly #offset: number;
  readonly #portions: Portion[] = [];
  #wake: () => void = () => undefined;
  /** How often it was opened. */
  opened = 0;
  signal: AbortSignal | undefined;

  /** `size`: what it tells; it sends what it is given. */
  constructor(size: number | undefined, offset = 0) {
    this.#size = size;
    this.#offset = offset;
  }

  readonly source: Source = (_offset, signal) => {
    this.opened += 1;
    this.signal = signal;
    // Once it has run it does not run again: what it cut short is not to be had.
    if (this.opened > 1) return Promise.reject(new RegistryError('BLOB_UNKNOWN', 'there is no more'));
    signal.addEventListener('abort', () => this.#wake());
    return Promise.resolve({ offset: this.#offset, size: this.#size, stream: this.#stream(signal) });
  };

  async *#stream(signal: AbortSignal): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      signal.throwIfAborted();
      const portion = this.#portions.shift();
      if (portion === undefined) await new Promise<void>((resolve) => (this.#wake = resolve));
      else if (portion.error !== undefined) throw portion.error;
      else if (portion.bytes === undefined) return;
      else {
        yield portion.bytes;
        // As a real one may: the chunk was only lent.
        portion.bytes.fill(0xee);
        portion.taken();
      }
    }
  }

  #add(bytes: Uint8Array | undefined, error?: Error): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#portions.push({ bytes, error, taken: resolve });
    this.#wake();
    return promise;
  }

  /** Resolves when the bytes are in the file: the next chunk was asked for. */
  send(bytes: Uint8Array): Promise<void> {
    return this.#add(Uint8Array.from(bytes));
  }

  end(): void {
    void this.#add(undefined);
  }

  break(error: Error): void {
    void this.#add(undefined, error);
  }
}
