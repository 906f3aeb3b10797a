// A fill under way, and ways to read from it.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Content } from '../../../src/core/mirror/ports.ts';
import { digestOf, someBytes } from '../../conformance/blob-store.ts';
import { Faucet } from './faucet.ts';
import { openFresh } from './opening.ts';

export const heldBack = 64 * 1024;
export const bytes = someBytes(400_000);
export const digest = digestOf(bytes);

export async function begin(t: TestContext, limit?: number) {
  const opened = await openFresh(t, limit);
  const faucet = new Faucet(bytes.length);
  const fill = opened.store.blobs.fill(digest, [faucet.source]);
  return { ...opened, faucet, fill, incoming: () => readdir(join(opened.dir, 'incoming')) };
}

export function reader(content: Content): AsyncIterator<Uint8Array> {
  assert.ok(content.body.kind === 'stream');
  return content.body.stream[Symbol.asyncIterator]();
}

/** Reads until `length` bytes have come; they must be those of the blob. */
export async function take(from: AsyncIterator<Uint8Array>, length: number, offset = 0): Promise<number> {
  let done = 0;
  while (done < length) {
    const { value } = (await from.next()) as IteratorResult<Uint8Array, undefined>;
    assert.ok(value, `the stream ended after ${done} bytes`);
    assert.ok(bytes.subarray(offset + done, offset + done + value.length).equals(value));
    done += value.length;
  }
  return done;
}

/** Reads to the end or to the error. */
export async function readOut(content: Content): Promise<{ length: number; error: unknown }> {
  let length = 0;
  try {
    assert.ok(content.body.kind === 'stream');
    for await (const chunk of content.body.stream) length += chunk.length;
    return { length, error: undefined };
  } catch (error) {
    return { length, error };
  }
}

/** Whether it settles without anything more happening but what is under way. */
export async function settled(promise: Promise<unknown>): Promise<boolean> {
  let is = false;
  const mark = () => void (is = true);
  promise.then(mark, mark);
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return is;
}

export async function pour(faucet: Faucet, from = 0, to = bytes.length): Promise<void> {
  for (let at = from; at < to; at += 50_000) await faucet.send(bytes.subarray(at, Math.min(to, at + 50_000)));
}
