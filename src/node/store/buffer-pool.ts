// Buffers for readers, used again: a reader costs one, and short-lived readers cost none that was not there before.

const size = 128 * 1024;
/** Idle ones beyond this many are left to the garbage collector. */
const mostIdle = 32;

export class BufferPool {
  readonly #idle: Buffer[] = [];

  take(): Buffer {
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(size);
  }

  giveBack(buffer: Buffer): void {
    if (this.#idle.length < mostIdle) this.#idle.push(buffer);
  }
}
