// How much in how long, as people write it: `20/s`, `50MB/s`.
import type { Rate } from '../core/door/bucket.ts';
import { parseSize } from './quantity.ts';

const periods: ReadonlyMap<string, number> = new Map([
  ['s', 1e3],
  ['m', 60e3],
  ['h', 3600e3],
]);

/** A whole number a second, minute or hour. Undefined for everything else. */
export function parseRate(found: unknown): Rate | undefined {
  const [, amount, unit = ''] = /^([1-9]\d{0,8}) ?\/ ?([smh])$/.exec(String(found)) ?? [];
  const per = periods.get(unit);
  return amount === undefined || per === undefined ? undefined : { amount: Number(amount), per };
}

/** Bytes a second, with a unit. Undefined for everything else. */
export function parseByteRate(found: unknown): Rate | undefined {
  const [, size] = /^([^/]*[^/ ]) ?\/ ?s$/.exec(String(found)) ?? [];
  const amount = parseSize(size);
  return amount === undefined ? undefined : { amount, per: 1000 };
}
