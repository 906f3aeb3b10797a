// A part of a file out by sendfile, as far as the socket takes it; for more room, Node waits.
import type { HeldFile } from '../../core/mirror/reply.ts';
import type { Range } from '../../core/oci/range.ts';
import type { BufferPool } from '../buffer-pool.ts';
import { AtHand } from './at-hand.ts';
import type { Outlet } from './outlet.ts';
import { checkGood, readInto } from './read-file.ts';
import type { Rota } from './rota.ts';
import type { Sendfile } from './sendfile.ts';

export interface Pouring {
  readonly sendfile: Sendfile;
  readonly rota: Rota;
}

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
  const atHand = new AtHand(file, pouring.sendfile);
  for (let offset = part.offset; offset < end;) {
    // One buffer by way of Node: the head is out when that is, or the socket has room again. Whatever is wrong with it is told here, too.
    const readCached = atHand.isCold ? undefined : pouring.sendfile.readCached;
    const count = await readInto(buffer, file, offset, end, readCached);
    checkGood(file);
    if (!(await outlet.write(buffer.subarray(0, count)))) return false;
    offset = await pourSome(outlet, file, offset + count, end, pouring, atHand);
  }
  return true;
}

/** Until the socket would have to be waited for. Answers with where that is. */
async function pourSome(
  outlet: Outlet,
  file: HeldFile,
  from: number,
  end: number,
  { sendfile, rota }: Pouring,
  atHand: AtHand,
): Promise<number> {
  let offset = from;
  while (offset < end) {
    const length = await atHand.from(offset, end);
    await rota.turn();
    checkGood(file);
    const taken = outlet.pour(sendfile, file, { offset, length });
    offset += taken;
    if (taken < length) break;
  }
  return offset;
}
