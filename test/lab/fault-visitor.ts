// A client of the walk: asks for a blob or a part of it, reads on when it is told to, may leave, and is judged.
import assert from 'node:assert/strict';
import { readSync } from 'node:fs';
import type { Reply } from '../../src/core/mirror/reply.ts';
import { parseRange, resolveRange } from '../../src/core/oci/range.ts';
import type { World } from '../core/mirror/world.ts';
import type { Layer } from '../fakes/registry/content.ts';
import { Gate } from '../fakes/registry/gate.ts';

export interface Visit {
  readonly layer: Layer;
  readonly path: string;
  readonly range: string | undefined;
  /** Bytes after which it leaves. */
  readonly leaves: number;
  /** Reads a chunk each time it is told to. */
  readonly slow: boolean;
}

export class Visitor {
  readonly visit: Visit;
  readonly answered: Promise<Reply>;
  readonly over: Promise<void>;
  readonly #pace = new Gate();
  #left = false;
  #ended = false;
  #start = 0;
  #length = 0;
  readonly #wrong: number[] = [];
  isOver = false;

  constructor(world: World, visit: Visit) {
    this.visit = visit;
    if (!visit.slow) this.#pace.open();
    this.answered = world.start(visit.path, visit.range === undefined ? {} : { range: visit.range });
    this.over = this.#read().finally(() => (this.isOver = true));
  }

  /** A slow one reads so many chunks more. */
  step(chunks: number): void {
    this.#pace.pass(chunks);
  }

  hurry(): void {
    this.#pace.open();
  }

  /** `calm`: nothing went on that may end a pull, so it has to have all that it asked for. `allowed`: statuses of trouble. */
  async judge(calm: boolean, allowed: readonly number[]): Promise<void> {
    const { status, headers } = await this.answered;
    const { range, layer } = this.visit;
    const right = rightAnswer(range, layer.bytes.size);
    const told = `${status} to ${range ?? 'the whole'} of ${layer.bytes.size} bytes`;
    if (calm) assert.equal(status, right.status, told);
    if (status === 416 && right.status === 416) return;
    if (status !== 200 && status !== 206) return assert.ok(allowed.includes(status), told);
    // As its HTTP library sees it.
    const promised = headers['content-length'];
    const whole = promised === undefined ? this.#ended : this.#length === Number(promised);
    if (calm && !this.#left) assert.ok(whole, `only ${this.#length} of ${right.length} bytes: ${told}`);
    // Who asks for a bounded range or a suffix verifies for himself.
    const verifies = status === 206 && parseRange(range)?.kind !== 'from';
    if (calm || (whole && !verifies)) assert.deepEqual(this.#wrong, [], `wrong bytes: ${told}`);
    if (whole && !verifies) assert.equal(this.#start + this.#length, layer.bytes.size, `complete: ${told}`);
    if (whole && calm) assert.equal(this.#length, right.length, `complete: ${told}`);
  }

  async #read(): Promise<void> {
    const { body, status, headers } = await this.answered;
    // An upstream that tells another size, or none, has the client begin elsewhere.
    this.#start = Number(/^bytes (\d+)-/.exec(String(headers['content-range']))?.[1] ?? 0);
    if (status !== 200 && status !== 206) return;
    try {
      if (body.kind === 'bytes') this.#take(body.bytes);
      else if (body.kind === 'stream') {
        for await (const chunk of body.stream) {
          this.#take(chunk);
          if (this.#length >= this.visit.leaves) {
            this.#left = true;
            return;
          }
          await this.#pace.enter();
        }
      } else if (body.kind === 'file') {
        const { offset, length } = body.range ?? { offset: 0, length: body.file.size };
        const bytes = Buffer.alloc(length);
        await this.#pace.enter();
        const count = length === 0 ? 0 : readSync(body.file.descriptor, bytes, 0, length, offset);
        body.file.close();
        this.#take(bytes.subarray(0, count));
      }
      this.#ended = true;
    } catch {
      // Its connection is destroyed.
    }
  }

  #take(chunk: Uint8Array): void {
    const { bytes } = this.visit.layer;
    const at = this.#start + this.#length;
    if (!Buffer.from(bytes.read(at, chunk.length)).equals(chunk)) this.#wrong.push(at);
    this.#length += chunk.length;
  }
}

function rightAnswer(range: string | undefined, size: number): { status: number; length: number } {
  const asked = parseRange(range);
  if (asked === undefined) return { status: 200, length: size };
  try {
    return { status: 206, length: resolveRange(asked, size).length };
  } catch {
    return { status: 416, length: 0 };
  }
}
