// The Link header of a list that goes on (RFC 8288, section 3).
import { Field, space, token } from '../oci/field.ts';

const target = /<[^<>\s]*>/y;
const semicolon = /[ \t]*;[ \t]*/y;
const equals = /[ \t]*=[ \t]*/y;

/**
 * The query of the link whose relation is `next`, without its question mark. Where it points to otherwise does not count:
 * the next page is asked where this one was. undefined if there is no such link or it has no query.
 */
export function nextQuery(headers: string | readonly string[] | undefined, base: string): string | undefined {
  const all = typeof headers === 'string' ? [headers] : (headers ?? []);
  for (const text of all) {
    const found = findNext(new Field(text));
    if (found !== undefined && URL.canParse(found, base)) return new URL(found, base).search.slice(1) || undefined;
  }
  return undefined;
}

function findNext(field: Field): string | undefined {
  field.separated();
  for (let link = field.take(target); link !== undefined; link = field.take(target)) {
    if (relations(field).includes('next')) return link.slice(1, -1);
    field.separated();
  }
  return undefined;
}

function relations(field: Field): readonly string[] {
  let found: readonly string[] = [];
  while (field.take(semicolon) !== undefined) {
    const name = field.take(token)?.toLowerCase();
    if (field.take(equals) === undefined) continue;
    const value = field.quoted() ?? field.take(token);
    // Of several `rel`, the first counts (RFC 8288, section 3.3).
    if (name === 'rel' && value !== undefined && found.length === 0) found = value.toLowerCase().split(/\s+/);
  }
  field.take(space);
  return found;
}
