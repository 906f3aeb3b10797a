// The request-target of HTTP, cleaned: what comes out was decoded exactly once and holds nothing that could be read in two ways.
import { RegistryError } from './errors.ts';

export interface RequestTarget {
  /** Decoded. Starts with `/`; still to be matched against a grammar, which is what keeps `..` out. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Of a target in absolute form, where it counts in place of the Host header (RFC 9112, section 3.2.2). */
  readonly authority: string | undefined;
}

const longestTarget = 4096;
const absoluteForm = /^https?:\/\/([^/?#]*)/i;
// Visible ASCII without the backslash, which some servers read as a slash.
const visible = /^[!-[\]-~]*$/;
// What would only appear, or vanish, in the decoding: an encoded separator, a NUL, an empty component.
const ambiguous = /%2f|%5c|\/\//i;
const encodedNul = /%00/;

/** Throws NAME_INVALID (400). */
export function parseRequestTarget(raw: string): RequestTarget {
  if (raw.length > longestTarget) throw invalid(`a request target has at most ${longestTarget} bytes`);
  if (!visible.test(raw) || encodedNul.test(raw)) {
    throw invalid('a request target is visible ASCII, without backslashes and NULs');
  }
  const absolute = absoluteForm.exec(raw);
  const origin = absolute === null ? raw : withSlash(raw.slice(absolute[0].length));
  const mark = origin.indexOf('?');
  const path = mark < 0 ? origin : origin.slice(0, mark);
  const query = mark < 0 ? '' : origin.slice(mark + 1);
  if (!path.startsWith('/')) throw invalid('a request target starts with a slash');
  if (ambiguous.test(path)) throw invalid('a path has no empty components and no encoded slashes or backslashes');
  decode(query);
  return { path: decode(path), query: new URLSearchParams(query), authority: absolute?.[1] };
}

/** `http://host` and `http://host?n=1` mean the path `/`. */
function withSlash(rest: string): string {
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** URLSearchParams decodes whatever it gets, so a query is tried here too. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw invalid('a percent sign is followed by two hexadecimal digits, and together they are UTF-8', cause);
  }
}

function invalid(message: string, cause?: unknown): RegistryError {
  return new RegistryError('NAME_INVALID', message, { cause });
}
