// Sizes and durations as people write them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDuration, parseSize } from '../../src/config/quantity.ts';

test('sizes are bytes, or numbers with a decimal or binary unit', () => {
  const sizes = { '50GB': 50e9, '50GiB': 50 * 2 ** 30, '500MB': 5e8, '1.5KB': 1500, '1 TiB': 2 ** 40, '7B': 7 };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseSize(text), bytes, text);
  assert.equal(parseSize(1), 1);
});

test('what is no size is none', () => {
  for (const found of [
    '50',
    '50G',
    '50gb',
    'GB',
    '-1GB',
    '1e3GB',
    '0GB',
    '999999999TB',
    ' 1GB',
    '1GB ',
    '1GBs',
    '1constructor',
    0,
    0.5,
    Number.NaN,
    null,
    {},
  ]) {
    assert.equal(parseSize(found), undefined, JSON.stringify(found));
  }
});

test('durations have a unit, and are milliseconds', () => {
  const durations = { '500ms': 500, '0s': 0, '1m': 60_000, '1.5h': 5_400_000, '24h': 86_400_000, '2d': 172_800_000 };
  for (const [text, ms] of Object.entries(durations)) assert.equal(parseDuration(text), ms, text);
  for (const found of ['1', 1, '1min', '1M', '', 's', '-1s', undefined]) {
    assert.equal(parseDuration(found), undefined, String(found));
  }
});
