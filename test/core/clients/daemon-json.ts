// Any daemon.json that somebody may have written: any keys, in any order, indented as they like.
import fc from 'fast-check';

const word = fc.constantFrom(
  'data-root',
  'log-level',
  'debug',
  'labels',
  'dns',
  'bip',
  'features',
  'proxies',
  'é"\\\n',
);
const scalar = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 8 }), fc.boolean(), fc.integer(), fc.constant(null));
const value = fc.oneof(scalar, fc.array(fc.string({ maxLength: 5 }), { maxLength: 3 }), fc.dictionary(word, scalar));

export const daemonJsons = fc
  .record({
    content: fc.dictionary(word, value),
    mirrors: fc.option(fc.array(fc.webUrl({ validSchemes: ['https'] }), { maxLength: 2 }), { nil: undefined }),
    proxies: fc.option(fc.dictionary(fc.constantFrom('no-proxy', 'http-proxy'), fc.string()), { nil: undefined }),
    indentation: fc.constantFrom('', ' ', '  ', '    ', '\t'),
    before: fc.constantFrom('', '\n', ' ', '\uFEFF'),
    after: fc.constantFrom('', '\n', '\n\n', ' \t'),
    crlf: fc.boolean(),
    tight: fc.boolean(),
  })
  .map(({ content, mirrors, proxies, indentation, before, after, crlf, tight }) => {
    const whole = {
      ...(mirrors && { 'registry-mirrors': mirrors }),
      ...content,
      ...(proxies && { proxies }),
    };
    const printed = before + JSON.stringify(whole, null, indentation) + after;
    const colons = tight ? printed.replaceAll('": ', '":') : printed;
    return crlf ? colons.replaceAll('\n', '\r\n') : colons;
  });

export function meaningOf(text: string): Record<string, unknown> {
  return JSON.parse(text.replace(/^\uFEFF/, '')) as Record<string, unknown>;
}

/** What of `before` is gone in `after`, and what has come in its place, if that is at one place only. */
export function replacedOnce(before: string, after: string): { readonly taken: string; readonly put: string } {
  let start = 0;
  while (start < before.length && before[start] === after[start]) start++;
  let end = 0;
  const most = Math.min(before.length, after.length) - start;
  while (end < most && before.at(-1 - end) === after.at(-1 - end)) end++;
  return { taken: before.slice(start, before.length - end), put: after.slice(start, after.length - end) };
}
