// What was measured: for each server its samples, and what sampan's are compared with.
import type { Cost, Samples } from './samples.ts';

export interface Column {
  readonly samples: readonly number[];
  /** Why the others failed. */
  readonly failed: readonly string[];
}

/** What sampan is to reach: so much, of its own value, of its ratio to another server's, or of how far it is above it. */
export type Goal = { readonly of: 'value' | 'ratio' | 'difference' } & (
  | { readonly most: number }
  | { readonly least: number }
);

/** Another server, and what sampan is to reach beside it. */
export interface Comparison {
  readonly against: string;
  readonly goal?: Goal;
}

export interface Figure extends Comparison {
  readonly name: string;
  readonly unit: string;
  /** By the server's name. */
  readonly columns: Readonly<Record<string, Column>>;
  /** Beside the one that it is compared with first. */
  readonly also?: Comparison;
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

export interface Verdict extends Comparison {
  /** undefined if there is nothing to compare. */
  readonly ratio: number | undefined;
  readonly met: boolean | undefined;
}

/** How sampan compares, and whether that is what it is to reach. */
export function verdictsOn(figure: Figure): readonly Verdict[] {
  return [figure, ...(figure.also === undefined ? [] : [figure.also])].map((each) => verdictOn(figure, each));
}

function verdictOn({ columns }: Figure, { against, goal }: Comparison): Verdict {
  const own = median(columns['sampan']?.samples ?? []);
  const other = median(columns[against]?.samples ?? []);
  const ratio = own === undefined || other === undefined || other === 0 ? undefined : own / other;
  const told = { against, ...(goal && { goal }), ratio };
  if (goal === undefined) return { ...told, met: undefined };
  const reached = { value: own, ratio, difference: own === undefined || other === undefined ? undefined : own - other };
  const whole = (columns['sampan']?.failed.length ?? 0) === 0;
  const value = reached[goal.of];
  if (value === undefined) return { ...told, met: whole ? undefined : false };
  return { ...told, met: whole && ('most' in goal ? value <= goal.most : value >= goal.least) };
}
