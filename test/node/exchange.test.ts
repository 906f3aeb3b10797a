// What one exchange gives to whoever reads its body, and when it stops the sender.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Exchange } from '../../src/node/exchange.ts';

const KiB = 1024;

async function begin(signal = new AbortController().signal) {
  const did: string[] = [];
  const controller = {
    pause: () => void did.push('pause'),
    resume: () => void did.push('resume'),
    abort: () => void did.push('abort'),
  };
  const exchange = new Exchange(signal);
  exchange.onRequestStart(controller);
  exchange.onResponseStart(controller, 103, {});
  exchange.onResponseStart(controller, 200, { etag: 'x', link: undefined });
  const arrive = (bytes: number) => exchange.onResponseData(controller, Buffer.alloc(bytes));
  const fail = () => exchange.onResponseError(controller, new Error('reset'));
  return { exchange, did, arrive, fail, answer: await exchange.answer };
}

it('all that has arrived is given out before the error', async () => {
  const { exchange, arrive, fail, answer } = await begin();
  assert.deepEqual([answer.status, answer.headers], [200, { etag: 'x' }]);
  for (const bytes of [50 * KiB, 10 * KiB, 10 * KiB]) arrive(bytes);
  fail();
  const lengths: number[] = [];
  await assert.rejects(async () => {
    for await (const chunk of answer.body) lengths.push(chunk.length);
  }, /reset/);
  assert.deepEqual(lengths, [60 * KiB, 10 * KiB], 'small ones together');
  await assert.rejects(exchange.next(), /reset/);
});

it('the sender is stopped while nobody reads', async () => {
  const { exchange, did, arrive } = await begin();
  for (let i = 0; i < 2; i += 1) arrive(64 * KiB);
  assert.deepEqual(did, ['pause']);
  await exchange.next();
  assert.deepEqual(did, ['pause']);
  await exchange.next();
  assert.deepEqual(did, ['pause', 'resume']);
});

it('the sender is stopped before its chunks cost more than their bytes, too', async () => {
  const { exchange, did, arrive } = await begin();
  for (let i = 0; i < 1023; i += 1) arrive(1);
  assert.deepEqual(did, []);
  arrive(1);
  assert.deepEqual(did, ['pause']);
  const { value } = await exchange.next();
  assert.equal(value?.length, 1024);
  assert.deepEqual(did, ['pause', 'resume']);
});

it('who waits gets what comes, the end, or the error', async () => {
  const { exchange, arrive } = await begin();
  const next = exchange.next();
  arrive(5);
  assert.equal((await next).value?.length, 5);
  const end = exchange.next();
  exchange.onResponseEnd();
  assert.equal((await end).done, true);
  assert.equal((await exchange.next()).done, true);
  const broken = await begin();
  const waiting = broken.exchange.next();
  broken.fail();
  await assert.rejects(waiting, /reset/);
});

it('who cancels or aborts gets nothing more, and the connection is let go once', async () => {
  const aborting = new AbortController();
  for (const [how, { exchange, did, arrive, answer }] of [
    ['cancel', await begin()],
    ['abort', await begin(aborting.signal)],
  ] as const) {
    arrive(5);
    if (how === 'cancel') answer.cancel();
    else aborting.abort(new Error('left'));
    await assert.rejects(exchange.next(), how === 'cancel' ? /cancelled/ : /left/);
    answer.cancel();
    assert.deepEqual(did, ['abort']);
  }
  const over = await begin();
  over.exchange.onResponseEnd();
  over.answer.cancel();
  assert.deepEqual(over.did, [], 'a connection whose answer is over is of use to others');
});

it('who leaves before there is a connection is told so at once, and none is kept for him', async () => {
  const leaving = new AbortController();
  const exchange = new Exchange(leaving.signal);
  leaving.abort(new Error('left'));
  await assert.rejects(exchange.answer, /left/);
  let aborted = 0;
  exchange.onRequestStart({ pause() {}, resume() {}, abort: () => (aborted += 1) });
  assert.equal(aborted, 1);
  await assert.rejects(new Exchange(leaving.signal).answer, /left/);
});
