// The proxy through which everything is dialled: http://user:password@host:port, or socks5://
import { type Address, formatAddress, parseAddress } from './address.ts';

export interface Via extends Address {
  readonly scheme: 'http' | 'socks5';
  readonly login: { readonly user: string; readonly password: string } | undefined;
}

const pattern = /^(?<scheme>http|socks5):\/\/(?:(?<user>[^:@\s]+)(?::(?<password>[^@\s]*))?@)?(?<address>[^@/\s]+)\/?$/;
/** RFC 1929, section 2. */
const longest = 255;

/** Undefined for anything else. In user and password, what is special in a URL is written as %40 and the like. */
export function parseVia(found: unknown): Via | undefined {
  const parts = (typeof found === 'string' && pattern.exec(found)?.groups) || {};
  const address = parseAddress(parts['address']);
  if (address === undefined || address.port === 0) return undefined;
  const scheme = parts['scheme'] === 'http' ? 'http' : 'socks5';
  if (parts['user'] === undefined) return { ...address, scheme, login: undefined };
  const [user, password] = [decode(parts['user']), decode(parts['password'] ?? '')];
  if (user === undefined || password === undefined || user.includes(':')) return undefined;
  return { ...address, scheme, login: { user, password } };
}

/** For people: without the login. */
export function formatVia(via: Via): string {
  return `${via.scheme}://${formatAddress(via)}`;
}

function decode(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text);
    return Buffer.byteLength(decoded) <= longest ? decoded : undefined;
  } catch {
    return undefined;
  }
}
