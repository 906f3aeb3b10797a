// An open file that several read at once; closed when the last of them lets go.
import type { FileHandle } from 'node:fs/promises';

export class SharedFile {
  readonly handle: FileHandle;
  /** Resolves when nobody can read it any more and, if it was unlinked, its bytes are free again. */
  readonly closed: Promise<void>;
  /** Known by now not to be what it is called: nobody may get another byte of it. */
  bad = false;
  readonly #markClosed: () => void;
  #holds = 0;
  #over = false;

  constructor(handle: FileHandle) {
    this.handle = handle;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#markClosed = resolve;
  }

  /** Nobody reads it any more: it is closed, or will be in a moment. */
  get over(): boolean {
    return this.#over;
  }

  /** Undefined: too late, it is closed. */
  tryHold(): (() => void) | undefined {
    return this.#over ? undefined : this.hold();
  }

  /** Whoever holds it lets go with what this answers; once counts. Only for whoever knows that it is still open. */
  hold(): () => void {
    this.#holds += 1;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      this.#holds -= 1;
      if (this.#holds === 0) this.#close();
    };
  }

  /** Only for whoever holds it. Throws if it is shorter. Not `readFile`: that moves the descriptor's own position, which all share. */
  async readAll(size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size);
    for (let done = 0; done < size;) {
      const { bytesRead } = await this.handle.read(bytes, done, size - done, done);
      if (bytesRead === 0) throw new Error('the file has become shorter');
      done += bytesRead;
    }
    return bytes;
  }

  #close(): void {
    this.#over = true;
    // A close that fails (EIO) has given the descriptor back all the same, and there was nothing left to write.
    this.handle.close().then(this.#markClosed, this.#markClosed);
  }
}
