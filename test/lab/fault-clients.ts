// Clients of one blob, as they come, read and leave; each knows what it got.
import type { Reply } from '../../src/core/mirror/reply.ts';
import type { World } from '../core/mirror/world.ts';
import { size } from './fault-cases.ts';

const ranges = [
  undefined,
  'bytes=0-',
  'bytes=1000-1999',
  'bytes=100000-',
  'bytes=-70000',
  `bytes=${size - 1}-${size - 1}`,
];

/** Many at once are of every sort, and most want the whole. */
export function rangeOf(index: number): string | undefined {
  return index % 2 === 0 ? undefined : ranges[((index - 1) / 2) % ranges.length];
}

export class Client {
  readonly asked: string | undefined;
  readonly leaves: boolean;
  /** Resolves when it has a head, or an error in its place. */
  readonly answered: Promise<Reply>;
  readonly over: Promise<void>;
  readonly #chunks: Buffer[] = [];
  readonly #watching: { readonly bytes: number; readonly wake: () => void }[] = [];
  #length = 0;
  #ended = false;

  constructor(world: World, path: string, asked: string | undefined, leaves = false) {
    this.asked = asked;
    this.leaves = leaves;
    this.answered = world.start(path, asked === undefined ? {} : { range: asked });
    this.over = this.#read().finally(() => {
      for (const { wake } of this.#watching) wake();
    });
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** As its HTTP library sees it: all that the head promised is here, or the end came without an error. */
  async whole(): Promise<boolean> {
    const told = (await this.answered).headers['content-length'];
    return this.#ended || (told !== undefined && this.#length === Number(told));
  }

  /** Resolves when it has so many bytes, or will have no more. */
  has(bytes: number): Promise<void> {
    if (this.#length >= bytes) return Promise.resolve();
    return Promise.race([this.over, new Promise<void>((wake) => this.#watching.push({ bytes, wake }))]);
  }

  async #read(): Promise<void> {
    const { body } = await this.answered;
    if (body.kind === 'bytes') this.#got(body.bytes);
    if (body.kind === 'file') throw new Error('nobody has stored this blob before');
    try {
      if (body.kind === 'stream') {
        for await (const chunk of body.stream) {
          this.#got(chunk);
          if (this.leaves) return;
        }
      }
      this.#ended = true;
    } catch {
      // Its connection is destroyed.
    }
  }

  #got(chunk: Uint8Array): void {
    this.#chunks.push(Buffer.from(chunk));
    this.#length += chunk.length;
    for (const { bytes, wake } of this.#watching) if (this.#length >= bytes) wake();
  }
}
