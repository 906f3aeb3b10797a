// How much is remembered of upstreams, which choose how long their tokens are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpstreamMemory } from '../../../src/core/upstream/memory.ts';

test('tokens are kept by their length: the oldest go, and one that is replaced or refused counts no more', () => {
  const { tokens } = new UpstreamMemory();
  const kept = { token: 'x'.repeat(64 * 1024), until: 0 };
  for (let count = 0; count < 200; count += 1) tokens.set('again', kept);
  for (let count = 0; count < 200; count += 1) {
    tokens.set(`refused ${count}`, kept);
    tokens.delete(`refused ${count}`);
  }
  for (let count = 0; count < 62; count += 1) tokens.set(`${count}`, kept);
  assert.ok(tokens.get('again') !== undefined && tokens.get('0') !== undefined);
  for (let count = 62; count < 200; count += 1) tokens.set(`${count}`, kept);
  const all = [...tokens.values()].reduce((sum, { token }) => sum + token.length, 0);
  assert.ok(all > 3_900_000 && all <= 4 * 1024 * 1024, String(all));
  assert.ok(tokens.get('0') === undefined && tokens.get('199') !== undefined);
});
