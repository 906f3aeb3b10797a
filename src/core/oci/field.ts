// The words that header fields are made of (RFC 9110, section 5.6), taken off one after the other.

/** RFC 9110, section 5.6.2. */
export const token = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
/** Optional whitespace. Matches nothing at all, too. */
export const space = /[ \t]*/y;
const comma = /,/y;
const quoted = /"[^"\\]*(?:\\[^][^"\\]*)*"/y;

/** Reads a field from left to right and never goes back, so that reading takes linear time whatever is in it. */
export class Field {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  /** What the pattern, which must be sticky, matches here; undefined, and nothing is taken, if it does not. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  /** A quoted string, without its quotes and escapes. */
  quoted(): string | undefined {
    return this.take(quoted)
      ?.slice(1, -1)
      .replaceAll(/\\([^])/g, '$1');
  }

  /** Separators of a list, where empty elements are allowed (RFC 9110, section 5.6.1.2). False if there is none. */
  separated(): boolean {
    this.take(space);
    let found = false;
    while (this.take(comma) !== undefined) {
      found = true;
      this.take(space);
    }
    return found;
  }
}

/** As a quoted string. What no field may carry is left out: line ends, other controls, anything beyond ASCII. */
export function quote(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '').replaceAll(/["\\]/g, '\\$&')}"`;
}
