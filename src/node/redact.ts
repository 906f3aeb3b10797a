// Takes secrets out of text that people and log collectors will see. The last line of defence: nobody should put them there.

// In JSON text a quote inside a string is escaped, so a backslash takes the character after it along.
const rest = String.raw`(?:\\.|[^\s"'<>\\])*`;
const query = new RegExp(String.raw`(\bhttps?://[^\s"'<>\\?#]*)[?#]${rest}`, 'gi');
const userinfo = new RegExp(String.raw`(\bhttps?://)[^\s"'<>\\]*@`, 'gi');
const credential = /\b(Bearer|Basic)\s+[^\s"'\\,]+/gi;

/** Queries and userinfo of http(s) URLs, and what follows Bearer or Basic. JSON stays JSON. */
export function redact(text: string): string {
  return text.replace(query, '$1?…').replace(userinfo, '$1…@').replace(credential, '$1 …');
}
