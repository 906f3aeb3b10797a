// What was measured: for each server its samples, and what sampan's are compared with.
import type { Cost, Samples } from './samples.ts';

export interface Column {
  readonly samples: readonly number[];
  /** Why the others failed. */
  readonly failed: readonly string[];
}

/** What sampan is to reach: at most so much, of its own value, of its ratio to `against`, or of how far it is above it. */
export interface Goal {
  readonly of: 'value' | 'ratio' | 'difference';
  readonly most: number;
}

export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** By the server's name. */
  readonly columns: Readonly<Record<string, Column>>;
  /** The server that sampan is compared with. */
  readonly against: string;
  readonly goal?: Goal;
}

type Description = Omit<Figure, 'columns'>;

export function figureOf<Key extends string>(samples: Samples<Key>, key: Key, description: Description): Figure {
  const columns = [...samples].map(([server, each]): [string, Column] => [
    server,
    {
      samples: each.flatMap((sample) => ('failed' in sample ? [] : (sample[key] ?? []))),
      failed: each.flatMap((sample) => ('failed' in sample ? [sample.failed] : [])),
    },
  ]);
  return { ...description, columns: Object.fromEntries(columns) };
}

/** What it took the servers: seconds of all processors, and memory. */
export function costs(samples: Samples<Cost>, name: string): readonly Figure[] {
  const against = 'nginx';
  return [
    figureOf(samples, 'cpu', { name: `${name}: CPU`, unit: 's', against }),
    figureOf(samples, 'memory', { name: `${name}: peak memory`, unit: 'MB', against }),
  ];
}

/** How many of all measurements failed, in percent. */
export function failures(samples: Samples<string>, description: Description): Figure {
  const columns = [...samples].map(([server, each]): [string, Column] => {
    const failed = each.filter((sample) => 'failed' in sample).length;
    return [server, { samples: [(100 * failed) / each.length], failed: [] }];
  });
  return { ...description, columns: Object.fromEntries(columns) };
}

export function median(samples: readonly number[]): number | undefined {
  const sorted = samples.toSorted((one, other) => one - other);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}

/** How sampan compares, and whether that is what it is to reach. undefined if there is nothing to compare. */
export function verdictOn(figure: Figure): { readonly ratio: number | undefined; readonly met: boolean | undefined } {
  const own = median(figure.columns['sampan']?.samples ?? []);
  const other = median(figure.columns[figure.against]?.samples ?? []);
  const ratio = own === undefined || other === undefined || other === 0 ? undefined : own / other;
  if (figure.goal === undefined) return { ratio, met: undefined };
  const { of, most } = figure.goal;
  const reached = { value: own, ratio, difference: own === undefined || other === undefined ? undefined : own - other };
  const whole = (figure.columns['sampan']?.failed.length ?? 0) === 0;
  const value = reached[of];
  return { ratio, met: value === undefined ? (whole ? undefined : false) : whole && value <= most };
}
