// Buffers for whoever reads files, used again: a short-lived reader costs none that was not there before.

const size = 64 * 1024;
/** Idle ones beyond this many are left to the garbage collector. */
const mostIdle = 64;

/**
 * A buffer is given back only by whoever knows that nobody reads it any more. A chunk that was handed out is lent until
 * the next one is asked for, or until the kernel has said that it took it: who cannot know that lets go of the buffer.
 */
export class BufferPool {
  readonly #idle: Buffer[] = [];

  /** `most`: bytes that are needed at most; for a small file a small one is made. */
  take(most = size): Buffer {
    if (most < size) return Buffer.allocUnsafeSlow(most);
    return this.#idle.pop() ?? Buffer.allocUnsafeSlow(size);
  }

  giveBack(buffer: Buffer): void {
    if (buffer.length === size && this.#idle.length < mostIdle) this.#idle.push(buffer);
  }
}
