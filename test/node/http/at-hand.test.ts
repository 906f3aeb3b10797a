// What is poured of a file without the disk being waited for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtHand } from '../../../src/node/http/at-hand.ts';
import type { Sendfile } from '../../../src/node/http/sendfile.ts';
import { hold, pattern } from './held-file.ts';

const size = 1_500_000;
const step = 512 * 1024;
const content = pattern(size);

/** Of a file, so many bytes of the beginning are in memory. */
function cachedTo(most: number): Sendfile & { readonly lookedAt: number[] } {
  const lookedAt: number[] = [];
  return {
    lookedAt,
    send: () => assert.fail('nothing is sent here'),
    isCached: (_file, offset, length) => {
      lookedAt.push(offset);
      return offset + length <= most;
    },
  };
}

test('what is in memory is looked up, a step at a time', async (context) => {
  const { file } = hold(context, content);
  const sendfile = cachedTo(size);
  const atHand = new AtHand(file, sendfile);
  assert.equal(await atHand.from(0, size), step);
  assert.equal(await atHand.from(step, size), step);
  assert.equal(await atHand.from(2 * step, size), size - 2 * step);
  assert.deepEqual(sendfile.lookedAt, [0, step, 2 * step]);
});

test('from the first byte on that has to be waited for, each is read first, and no more is looked up', async (context) => {
  const { file } = hold(context, content);
  const sendfile = cachedTo(step);
  const atHand = new AtHand(file, sendfile);
  let offset = await atHand.from(0, size);
  assert.equal(atHand.isCold, false);
  while (offset < size) offset += await atHand.from(offset, size);
  assert.equal(offset, size);
  assert.equal(atHand.isCold, true);
  assert.deepEqual(sendfile.lookedAt, [0, step]);
});

test('what was read and not all taken is not read again', async (context) => {
  const { file } = hold(context, content);
  const atHand = new AtHand(file, cachedTo(0));
  const length = await atHand.from(0, size);
  assert.equal(await atHand.from(1000, size), length - 1000);
});

test('a file that turns out to be shorter is told of, and nothing of it poured', async (context) => {
  const { file } = hold(context, content);
  let suspected = 0;
  const atHand = new AtHand({ ...file, suspect: () => (suspected += 1) }, cachedTo(0));
  await assert.rejects(atHand.from(size, size + 1), /ends too early/);
  assert.equal(suspected, 1);
});
