// Sizes and durations as people write them.

type Units = ReadonlyMap<string, number>;

const sizeUnits: Units = new Map([
  ['B', 1],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['TB', 1e12],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
  ['TiB', 2 ** 40],
]);

const durationUnits: Units = new Map([
  ['ms', 1],
  ['s', 1e3],
  ['m', 60e3],
  ['h', 3600e3],
  ['d', 86_400e3],
]);

/** Bytes: a number, or one with a unit (`50GB`, `1.5GiB`). Undefined if it is neither, or not at least one byte. */
export function parseSize(found: unknown): number | undefined {
  const bytes = typeof found === 'number' ? found : measure(found, sizeUnits);
  return bytes !== undefined && Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}

/** Milliseconds, from a number with a unit (`1m`, `500ms`). Undefined if it is no such thing. */
export function parseDuration(found: unknown): number | undefined {
  const ms = measure(found, durationUnits);
  return ms !== undefined && Number.isSafeInteger(ms) ? ms : undefined;
}

function measure(found: unknown, units: Units): number | undefined {
  if (typeof found !== 'string') return undefined;
  const [, amount, name = ''] = /^(\d{1,15}(?:\.\d{1,6})?) ?([a-zA-Z]{1,3})$/.exec(found) ?? [];
  const unit = units.get(name);
  return unit === undefined ? undefined : Math.round(Number(amount) * unit);
}
