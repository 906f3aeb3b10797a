// Authorization: what a client shows of itself (RFC 9110, section 11.6.2; RFC 7617; RFC 6750).

export type Login =
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  /** Of another scheme, or not to be understood. */
  | { readonly kind: 'other' };

const pattern = /^(basic|bearer) +([!-~]+)$/i;

/** Undefined if there is none; also for Basic with neither user nor password, which some tools send who have no login. */
export function parseLogin(header: string | undefined): Login | undefined {
  if (header === undefined) return undefined;
  const [, scheme = '', value = ''] = pattern.exec(header.trim()) ?? [];
  if (scheme.toLowerCase() === 'bearer') return { kind: 'bearer', token: value };
  return scheme === '' ? { kind: 'other' } : parseBasic(value);
}

function parseBasic(value: string): Login | undefined {
  if (value === 'Og==') return undefined;
  const text = decode(value);
  const colon = text?.indexOf(':') ?? -1;
  if (text === undefined || colon < 0) return { kind: 'other' };
  return { kind: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) };
}

function decode(value: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** All that it says, in Base64 or not and whatever the scheme: for looking what must not be in it. */
export function inPlain(header: string): string {
  const words = header.split(/[\s,]+/);
  return [...words, ...words.map(fromBase64)].join(' ');
}

function fromBase64(word: string): string {
  try {
    return atob(word);
  } catch {
    return '';
  }
}

/** The header of a Basic login. */
export function basic(user: string, password: string): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))}`;
}
