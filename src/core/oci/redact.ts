// Takes secrets out of text that people and log collectors will see. The last line of defence: nobody should put them there.

// In JSON text a quote inside a string is escaped, so a backslash takes the character after it along;
// and a line may begin behind an `n`.
const url = /(?:\b|(?<=\\[nrt]))(?:https?|socks5):\/\/(?:\\.|[^\s"<>\\])*/gi;
const word = /(?:\\.|[^\s"\\])+/g;
// To the end of its line. A quote is a part of it where it cannot be the end of a string in JSON.
const field =
  /(?:\b|(?<=\\[nrt]))((?:set-)?cookie|(?:proxy-)?authorization|x-edge-secret)(\\?"\s*:\s*\\?"|\s*:\s*)(?:\\[^nr]|"(?![,}\]:\s]|$)|[^\r\n"\\])+/gi;
const credential = /(?:\b|(?<=\\[nrt]))(Bearer|Basic)\s+[^\s"'\\,]+/gi;
/** How an account's secret looks; wider than it is, for a mistyped one is hardly less of one. */
export const secretForm = 'sampan-[0-9a-z]{20,56}';
const secret = new RegExp(secretForm, 'gi');

/**
 * Queries, fragments and userinfo of URLs, queries of paths, the header fields that let somebody in, what follows Bearer or
 * Basic, and accounts' secrets. JSON stays JSON.
 */
export function redact(text: string): string {
  const told = text.replace(url, bare).replace(credential, '$1 …').replace(field, '$1$2…');
  return hideSecrets(told.includes('?') ? told.replace(word, withoutQuery) : told);
}

/** Of the target of a request, which is no URL. */
function withoutQuery(found: string): string {
  const path = found.indexOf('/');
  const mark = path < 0 ? -1 : found.indexOf('?', path);
  return mark >= 0 && mark < found.length - 1 ? `${found.slice(0, mark)}?…` : found;
}

/** For text that clients see: what has the form of an account's secret becomes dots. */
export function hideSecrets(text: string): string {
  return text.replace(secret, 'sampan-…');
}

/** Somewhere in it stands what has that form. */
export function holdsSecret(text: string): boolean {
  return hideSecrets(text) !== text;
}

function bare(found: string): string {
  const start = found.indexOf('//') + 2;
  const mark = found.search(/[?#]/);
  const end = mark < 0 ? found.length : mark;
  const query = mark < 0 ? '' : '?…';
  // A password may hold a question mark: without a path before it, what looks like a host may be a part of one.
  if (found.includes('@', end) && !found.slice(start, end).includes('/')) return `${found.slice(0, start)}…`;
  const at = found.lastIndexOf('@', end - 1);
  return at < start ? `${found.slice(0, end)}${query}` : `${found.slice(0, start)}…${found.slice(at, end)}${query}`;
}
