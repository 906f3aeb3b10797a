// Endpoints that do not answer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Health } from '../../../src/core/upstream/health.ts';
import { UpstreamMemory } from '../../../src/core/upstream/memory.ts';
import { TestClock } from './bench.ts';

test('an endpoint that did not answer is asked last for half a minute', () => {
  const clock = new TestClock();
  const health = new Health(clock, new UpstreamMemory().aside);
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
  const health = new Health(clock, new UpstreamMemory().aside);
  health.missed('https://b');
  health.missed('https://a');
  assert.deepEqual(health.inOrder(['https://a', 'https://b']), ['https://a', 'https://b']);
  clock.time -= 1000;
  assert.deepEqual(health.inOrder(['https://a', 'https://b']), ['https://a', 'https://b']);
});

test('one that says for how long it wants to be left alone is asked last for that long, but not for hours', () => {
  const clock = new TestClock();
  const health = new Health(clock, new UpstreamMemory().aside);
  health.missed('https://a', 120_000);
  clock.time += 119_999;
  assert.deepEqual(health.inOrder(['https://a', 'https://b']), ['https://b', 'https://a']);
  clock.time += 1;
  assert.deepEqual(health.inOrder(['https://a', 'https://b']), ['https://a', 'https://b']);
  health.missed('https://a', 86_400_000);
  clock.time += 600_000;
  assert.deepEqual(health.inOrder(['https://a', 'https://b']), ['https://a', 'https://b']);
});
