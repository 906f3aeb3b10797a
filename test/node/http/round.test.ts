import assert from 'node:assert/strict';
import test from 'node:test';
import { Round } from '../../../src/node/http/round.ts';

test('everybody who asks in one round of the event loop goes on at its end, in the order in which they asked', async () => {
  const round = new Round();
  const order: string[] = [];
  const note = (name: string) => void order.push(name);
  const first = round.end().then(() => note('first'));
  queueMicrotask(() => note('microtask'));
  const second = round.end().then(() => note('second'));
  setImmediate(() => note('what comes after them'));
  await Promise.all([first, second]);
  assert.deepEqual(order, ['microtask', 'first', 'second']);
});

test('who asks at the end of a round goes on at the end of the next', async () => {
  const round = new Round();
  await round.end();
  const order: string[] = [];
  const next = round.end().then(() => order.push('the next'));
  setImmediate(() => order.push('what follows it'));
  await Promise.resolve();
  assert.deepEqual(order, []);
  await next;
  assert.deepEqual(order, ['the next']);
});
