// What was measured, before it becomes a figure.

/** One measurement, by the names of what was measured. */
export type Sample<Key extends string> = Readonly<Record<Key, number>> | { readonly failed: string };
/** By the server's name. */
export type Samples<Key extends string> = ReadonlyMap<string, readonly Sample<Key>[]>;
