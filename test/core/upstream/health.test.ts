// Endpoints that do not answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Health } from '../../../src/core/upstream/health.ts';
import { TestClock } from './bench.ts';

test('an endpoint that did not answer is asked last for half a minute', () => {
  const clock = new TestClock();
  const health = new Health(clock);
  const endpoints = ['https://a', 'https://b', 'https://c'];
  assert.deepEqual(health.inOrder(endpoints), endpoints);
  health.missed('https://a');
  assert.deepEqual(health.inOrder(endpoints), ['https://b', 'https://c', 'https://a']);
  clock.time += 29_999;
  assert.deepEqual(health.inOrder(endpoints), ['https://b', 'https://c', 'https://a']);
  clock.time += 1;
  assert.deepEqual(health.inOrder(endpoints), endpoints);
});

test('all of them in their order if none answered, or if the clock was set back', () => {
  const clock = new TestClock();
  const health = new Health(clock);
  health.missed('https://b');
  health.missed('https://a');
  assert.deepEqual(health.inOrder(['https://a', 'https://b']), ['https://a', 'https://b']);
  clock.time -= 1000;
  assert.deepEqual(health.inOrder(['https://a', 'https://b']), ['https://a', 'https://b']);
});
