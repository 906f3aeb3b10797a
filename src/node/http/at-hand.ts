// What of a file can be poured without the disk being waited for: looked up, or read into memory in another thread just before.
import type { HeldFile } from '../../core/mirror/reply.ts';
import { readInto } from './read-file.ts';
import type { Sendfile } from './sendfile.ts';

/** Bytes at once: a tenth of a millisecond. Larger ones bring no more (bench/README.md), and others wait longer. */
const step = 512 * 1024;
/** Bytes that are read before they are poured. Whoever else reads from the disk stands behind one of them for each thread. */
const ahead = 256 * 1024;

/** Where all of those bytes go: it is the kernel that is to have them, and nobody looks at these. */
const unseen = Buffer.allocUnsafeSlow(ahead);

/** For one part of one file, from its beginning to its end. */
export class AtHand {
  readonly #file: HeldFile;
  readonly #sendfile: Sendfile;
  /** The disk has been waited for. What comes next will have to be, too; to look it up, or to pour it, would begin that here. */
  #cold = false;
  #readTo = 0;

  constructor(file: HeldFile, sendfile: Sendfile) {
    this.#file = file;
    this.#sendfile = sendfile;
  }

  /** Not another byte of it may be looked up: that begins what the kernel reads ahead. */
  get isCold(): boolean {
    return this.#cold;
  }

  /** How many bytes there can be poured, now. Throws if there is nothing to be read. */
  async from(offset: number, end: number): Promise<number> {
    if (!this.#cold) {
      const length = Math.min(step, end - offset);
      if (this.#sendfile.isCached(this.#file.descriptor, offset, length)) return length;
      this.#cold = true;
    }
    if (offset >= this.#readTo) this.#readTo = offset + (await readInto(unseen, this.#file, offset, end));
    return this.#readTo - offset;
  }
}
