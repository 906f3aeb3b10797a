// What is kept of a full run: the head, and the figures of each scenario.
import { join } from 'node:path';
import type { Figure } from './figures.ts';
import type { Head } from './head.ts';

export interface Results extends Head {
  /** By name. */
  readonly scenarios: Readonly<Record<string, readonly Figure[]>>;
}

/** Where they are kept: `<date>.json`, or `<date>-<bench>.json`. */
export const results = join(import.meta.dirname, 'results');
