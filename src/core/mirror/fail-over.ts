// A reader of a fill that the store gives up in the middle goes on past the store, and its client sees nothing.
import { NoRoom } from './ports.ts';
import type { ByteStream } from './reply.ts';

/** `rest`: the bytes after the first `sent` of this stream. Asked for once, and only if the store (NoRoom) is what failed. */
export function failingOver(stream: ByteStream, rest: (sent: number) => Promise<ByteStream>): ByteStream {
  let current = stream[Symbol.asyncIterator]();
  let sent = 0;
  let isRest = false;

  async function next(): Promise<IteratorResult<Uint8Array>> {
    try {
      const result = await current.next();
      if (!result.done) sent += result.value.length;
      return result;
    } catch (error) {
      if (isRest || !(error instanceof NoRoom)) throw error;
      isRest = true;
      current = (await rest(sent))[Symbol.asyncIterator]();
      return next();
    }
  }
  async function end(): Promise<IteratorResult<Uint8Array>> {
    await current.return?.();
    return { done: true, value: undefined };
  }
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
}
