// WWW-Authenticate: what a registry wants to see before it answers (RFC 9110, section 11.6.1).
import { Field, quote, space, token } from './field.ts';

export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** Names in lower case; of a name that occurs twice, the first. Empty if the challenge has a token68 in their place. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token68 = /[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/y;
const equals = /[ \t]*=[ \t]*/y;
// More than a token: registries have sent `realm=https://…` without quotes.
const unquoted = /[^\s",]+/y;

/**
 * All challenges, of one or several headers, in their order. Never throws: what is malformed ends the header that it is
 * in, and what was understood until then counts.
 */
export function parseChallenges(headers: string | readonly string[] | undefined): Challenge[] {
  const all = typeof headers === 'string' ? [headers] : (headers ?? []);
  return all.flatMap((text) => parseHeader(new Field(text)));
}

function parseHeader(field: Field): Challenge[] {
  const challenges: Challenge[] = [];
  field.separated();
  let scheme = field.take(token);
  while (scheme !== undefined) {
    const parameters = new Map<string, string>();
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
    field.take(space);
    field.take(token68);
    field.separated();
    scheme = readParameters(field, parameters);
  }
  return challenges;
}

/** Returns the next challenge's scheme: only what follows tells it from a parameter's name. */
function readParameters(field: Field, parameters: Map<string, string>): string | undefined {
  for (;;) {
    const name = field.take(token);
    if (name === undefined || field.take(equals) === undefined) return name;
    const value = field.quoted() ?? field.take(unquoted);
    if (value === undefined) return undefined;
    const key = name.toLowerCase();
    if (!parameters.has(key)) parameters.set(key, value);
    if (!field.separated()) return undefined;
  }
}

/** A Bearer challenge, safe whatever the values are. Undefined ones are left out. */
export function bearerChallenge(parameters: Readonly<Record<string, string | undefined>>): string {
  const parts = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quote(value)}`],
  );
  return `Bearer ${parts.join(',')}`;
}
