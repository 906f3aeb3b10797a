// In whose name bytes were obtained: somebody's at one registry, or nobody's.

/** A registry's name, or this. */
export type Origin = string;
export const anybodys: Origin = '*';
