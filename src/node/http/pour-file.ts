// A part of a file out by sendfile, as far as the socket takes it and the disk is not waited for; for both, Node waits.
import type { HeldFile } from '../../core/mirror/reply.ts';
import type { Range } from '../../core/oci/range.ts';
import type { BufferPool } from '../buffer-pool.ts';
import type { Outlet } from './outlet.ts';
import { checkGood, readInto } from './read-file.ts';
import type { Rota } from './rota.ts';
import type { Sendfile } from './sendfile.ts';

export interface Pouring {
  readonly sendfile: Sendfile;
  readonly rota: Rota;
}

/** Bytes at once: a fraction of a millisecond. The next, smaller one is about what the kernel reads ahead. */
const steps = [1024 * 1024, 128 * 1024];

/** Throws if not all of it can be read, or if it turns out to be bad meanwhile. */
export async function pourFile(
  outlet: Outlet,
  file: HeldFile,
  part: Range,
  pool: BufferPool,
  pouring: Pouring,
): Promise<void> {
  const buffer = pool.take(part.length);
  const whole = await pourAll(outlet, file, part, buffer, pouring);
  // After a write that did not end well the buffer may still be in somebody's hands.
  if (whole) pool.giveBack(buffer);
}

/** False: the client has left. */
async function pourAll(
  outlet: Outlet,
  file: HeldFile,
  part: Range,
  buffer: Buffer,
  pouring: Pouring,
): Promise<boolean> {
  const end = part.offset + part.length;
  for (let offset = part.offset; offset < end;) {
    // One buffer by way of Node: the head is out when that is, the socket has room again, or the disk has come up with something.
    // Whatever is wrong with either of them is told here, too.
    const count = await readInto(buffer, file, offset, end);
    checkGood(file);
    if (!(await outlet.write(buffer.subarray(0, count)))) return false;
    offset = await pourSome(outlet, file, offset + count, end, pouring);
  }
  return true;
}

/** Until the socket or the disk would have to be waited for. Answers with where that is. */
async function pourSome(
  outlet: Outlet,
  file: HeldFile,
  from: number,
  end: number,
  { sendfile, rota }: Pouring,
): Promise<number> {
  for (let offset = from; ;) {
    const length = cachedStep(sendfile, file, offset, end);
    if (length === 0) return offset;
    await rota.turn();
    checkGood(file);
    const taken = outlet.pour(sendfile, file, { offset, length });
    offset += taken;
    if (taken < length) return offset;
  }
}

/** 0 at `end`, and if the disk would be waited for. */
function cachedStep(sendfile: Sendfile, { descriptor }: HeldFile, offset: number, end: number): number {
  if (offset === end) return 0;
  for (const step of steps) {
    const length = Math.min(step, end - offset);
    if (sendfile.isCached(descriptor, offset, length)) return length;
  }
  return 0;
}
