// Retry-After: how long to leave somebody alone (RFC 9110, section 10.2.3).

/** Milliseconds from `now` on, never negative. undefined if the header is missing or is neither seconds nor a date. */
export function retryAfter(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(text)) return Number(text) * 1000;
  const date = /^\s*[A-Za-z]{3,9},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
