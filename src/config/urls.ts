// URLs of a registry: where it is asked, where its tokens come from, where it may send us.

/** Without a slash at its end, so that `/v2/` can follow. `{host}` may be a part of it. */
export function parseEndpoint(found: unknown): string | undefined {
  return parse(found)?.text.replace(/\/+$/, '');
}

export function parseRealm(found: unknown): string | undefined {
  return parse(found)?.text;
}

/** DNS over HTTPS, which is worth nothing without the S. */
export function parseResolver(found: unknown): string | undefined {
  const parsed = parse(found);
  return parsed?.url.protocol === 'https:' ? parsed.text : undefined;
}

/** Scheme, host and port; nothing else may be there. */
export function parseOrigin(found: unknown): string | undefined {
  const parsed = parse(found);
  return parsed?.url.pathname === '/' ? parsed.text.replace(/\/$/, '') : undefined;
}

const pattern = /^https?:\/\/[^/\s\\?#@][^\s\\?#@]*$/i;

/** The text stays as it was written: URL would encode the braces. */
function parse(found: unknown): { readonly text: string; readonly url: URL } | undefined {
  if (typeof found !== 'string' || !pattern.test(found)) return undefined;
  const sample = found.replaceAll('{host}', 'registry.example.com');
  return URL.canParse(sample) ? { text: found, url: new URL(sample) } : undefined;
}
