import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Incoming, Source } from '../../../src/core/mirror/ports.ts';
import { resumed } from '../../../src/core/mirror/resume.ts';
import { RegistryError, Unreachable } from '../../../src/core/oci/errors.ts';
import { randomBytes } from '../../fakes/registry/bytes.ts';
import { TestClock } from './world.ts';

const blob = randomBytes(3, 1_000_000);
const signal = new AbortController().signal;
const broken = (status = 503, retryAfter?: string) =>
  new RegistryError('UNAVAILABLE', 'broke', { status, headers: retryAfter ? { 'retry-after': retryAfter } : {} });

/** What one connection does: begins there, gives so many bytes, and then breaks or ends. Or an error in place of an answer. */
type Connection = { from?: number; bytes?: number; size?: number; thenThrow?: Error } | RegistryError;

function upstream(connections: Connection[]): { open: Source; asked: number[]; left: number } {
  const state = {
    asked: [] as number[],
    left: 0,
    open: async (offset: number): Promise<Incoming> => {
      state.asked.push(offset);
      const next = connections.shift() ?? {};
      if (next instanceof RegistryError) throw next;
      const { from = offset, bytes = blob.length, size = blob.length, thenThrow } = next;
      return { offset: from, size, stream: stream(from, bytes, thenThrow) };
    },
  };
  async function* stream(from: number, bytes: number, error: Error | undefined): AsyncGenerator<Uint8Array> {
    try {
      const end = Math.min(blob.length, from + bytes);
      for (let at = from; at < end; at += 7919) yield blob.subarray(at, Math.min(end, at + 7919));
      if (error !== undefined) throw error;
      if (end < blob.length) throw broken();
    } finally {
      state.left += 1;
    }
  }
  return state;
}

async function read(connections: Connection[], clock = new TestClock()): Promise<{ bytes: Buffer; asked: number[] }> {
  const { open, asked } = upstream(connections);
  const chunks: Buffer[] = [];
  const first = await open(0, signal);
  for await (const chunk of resumed(first, { size: first.size, open, clock, signal })) chunks.push(Buffer.from(chunk));
  return { bytes: Buffer.concat(chunks), asked };
}

describe('a stream that is resumed', () => {
  it('goes on where it broke, and fetches nothing twice', async () => {
    const { bytes, asked } = await read([{ bytes: 300_000 }, { bytes: 200_000 }]);
    assert.ok(bytes.equals(blob));
    assert.deepEqual(asked, [0, 300_000, 500_000]);
  });

  it('takes what comes again from an upstream that ignores ranges', async () => {
    const { bytes } = await read([{ bytes: 300_000 }, { from: 0 }]);
    assert.ok(bytes.equals(blob));
  });

  it('is the blob, however often and wherever it breaks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ bytes: fc.integer({ min: 70_000, max: 400_000 }), ranges: fc.boolean() }), {
          maxLength: 10,
        }),
        async (breaks) => {
          const { bytes } = await read(
            breaks.map(({ bytes: some, ranges }) => (ranges ? { bytes: some } : { from: 0, bytes: some })),
          );
          assert.ok(bytes.equals(blob));
        },
      ),
      { seed: 1, numRuns: 50 },
    );
  });

  it('waits a little longer after each failure in a row, as long as Retry-After says, and not for ever', async () => {
    const clock = new TestClock();
    const began = clock.time;
    await read([{ bytes: 100_000 }, broken(), broken(503, '7'), {}], clock);
    assert.equal(clock.time - began, 100 + 500 + 7000);
    const down = Array.from({ length: 7 }, () => broken(429));
    await assert.rejects(read([{ bytes: 100_000 }, ...down, {}], clock), { status: 429 });
  });

  it('is given up at once when the upstream wants to be left alone for longer than readers wait, in all', async () => {
    const clock = new TestClock();
    const began = clock.time;
    await assert.rejects(read([{ bytes: 100_000 }, broken(429, '30'), {}], clock), { status: 429 });
    assert.equal(clock.time - began, 100);
    const slow = Array.from({ length: 6 }, () => broken(503, '8'));
    await assert.rejects(read([{ bytes: 100_000 }, ...slow, {}], clock), { status: 503 });
    assert.ok(clock.time - began <= 20_200, `${clock.time - began} ms`);
  });

  it('asks others at once, however long one wants to be left alone', async () => {
    const limited = Object.assign(new Unreachable('limited', undefined, 1), { headers: { 'retry-after': '60' } });
    const { bytes } = await read([{ bytes: 100_000, thenThrow: limited }, {}]);
    assert.ok(bytes.equals(blob));
  });

  it('counts anew after some progress, but not after a byte', async () => {
    const some = Array.from({ length: 10 }, () => ({ bytes: 65_536 }));
    assert.ok((await read(some)).bytes.equals(blob));
    const few = Array.from({ length: 7 }, () => ({ bytes: 1 }));
    await assert.rejects(read([{ bytes: 100_000 }, ...few]), { status: 503 });
  });

  for (const status of [401, 403, 404]) {
    it(`ends at once when the upstream says ${status}`, async () => {
      const clock = new TestClock();
      const refusal = new RegistryError('DENIED', 'no', { status });
      await assert.rejects(read([{ bytes: 100_000 }, refusal, {}], clock), { status });
    });
  }

  it('does not go on with another blob: of another size, or beginning later', async () => {
    const { bytes, asked } = await read([{ bytes: 100_000 }, { size: 7 }, { from: 200_000 }, {}]);
    assert.ok(bytes.equals(blob));
    assert.deepEqual(asked, [0, 100_000, 100_000, 100_000]);
  });

  it('does not hide what is no break', async () => {
    await assert.rejects(read([{ bytes: 100_000, thenThrow: new TypeError('a bug') }, {}]), TypeError);
  });

  it('lets go of its connection when the reader leaves', async () => {
    const state = upstream([]);
    const first = await state.open(0, signal);
    for await (const chunk of resumed(first, { size: undefined, open: state.open, clock: new TestClock(), signal })) {
      assert.ok(chunk.length > 0);
      break;
    }
    assert.equal(state.left, 1);
  });
});
