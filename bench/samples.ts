// What was measured, before it becomes a figure.

/** One measurement, by the names of what was measured. undefined: there was nothing to measure. */
export type Sample<Key extends string> = Readonly<Record<Key, number | undefined>> | { readonly failed: string };
/** What it took a server, measured along with everything. */
export type Cost = 'cpu' | 'memory';
/** By the server's name. */
export type Samples<Key extends string> = ReadonlyMap<string, readonly Sample<Key>[]>;
