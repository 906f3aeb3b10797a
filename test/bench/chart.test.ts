// A chart shows what was measured and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartOf } from '../../bench/charts/chart.ts';

const column = (...samples: readonly number[]) => ({ samples, failed: [] });

test('a chart has a bar for each server that was measured, the longest for the highest value', () => {
  const columns = { sampan: column(1, 3, 2), nginx: column(4), none: column() };
  const chart = chartOf([{ name: 'a < b', unit: 'MB/s', columns, against: 'nginx' }]) ?? '';
  const widths = [...chart.matchAll(/<rect .*?width="([\d.]+)"/g)].map(([, width]) => Number(width));
  assert.deepEqual(widths, [270, 540]);
  assert.match(chart, />a &lt; b, MB\/s</);
  assert.match(chart, />2\.00</);
});

test('there is no chart of nothing', () => {
  assert.equal(chartOf([{ name: 'x', unit: 's', columns: { sampan: column() }, against: 'nginx' }]), undefined);
});
