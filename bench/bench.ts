// What every scenario is given, and what it gives back.
import type { Item } from '../test/fakes/registry/content.ts';
import type { Figure } from './figures.ts';
import type { Kind } from './parts/server.ts';

export interface Bench {
  /** Small and once, to see that it works: its figures say little. */
  readonly quick: boolean;
  /** For whatever is written while it runs. */
  readonly directory: string;
  /** A registry without a link. */
  readonly origin: string;
  /** Where it keeps its blobs. */
  readonly storage: string;
  readonly kinds: readonly Kind[];
  /** Puts an image at `<repository>:latest` of the origin, unless it has been put there. */
  hold(repository: string, item: Item): Promise<void>;
  /** Says where it is, to whoever waits. */
  say(text: string): void;
}

export type Scenario = (bench: Bench) => Promise<readonly Figure[]>;
