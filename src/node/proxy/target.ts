// What a client of the proxy wants to reach, out of what it wrote in its request line; or why that is nothing to ask for.
import type { Headers } from '../../core/mirror/reply.ts';

/** A host in lower case, on the one port that its form of request is for: 443 behind CONNECT, 80 for a whole http URL. */
export interface Target {
  readonly host: string;
  /** Of a whole URL: path and query. Undefined for a tunnel. */
  readonly path?: string;
}

/** `why` is one sentence of ours in ASCII, which repeats nothing that was not looked at first. `remedy`: for who may change the configuration. */
export interface Rejection {
  readonly kind: 'reject';
  readonly status: number;
  readonly why: string;
  readonly remedy?: string;
  /** Instead of those that its status always has. */
  readonly headers?: Headers;
  /** For the log. */
  readonly error?: unknown;
}

export const purpose = 'this proxy is for container registries only';

export function reject(status: number, why: string, remedy?: string): Rejection {
  return { kind: 'reject', status, why, ...(remedy !== undefined && { remedy }) };
}

const tunnelPort = 443;
const plainPort = 80;

/** The authority form of CONNECT (RFC 9112, section 3.2.3): nothing but host and port. */
export function parseTunnel(authority: string): Target | Rejection {
  return parseAuthority(authority, tunnelPort, true);
}

const absolute = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)([^#]*)$/i;

/** The absolute form (RFC 9112, section 3.2.2). */
export function parseAbsolute(url: string): Target | Rejection {
  const [, scheme, authority, rest] = absolute.exec(url) ?? [];
  if (scheme === undefined || authority === undefined || rest === undefined) {
    return reject(400, `${purpose}: ask it with CONNECT, or for a whole http:// URL`);
  }
  if (scheme.toLowerCase() === 'https') return reject(400, `${purpose}: https takes a tunnel, by CONNECT`);
  if (scheme.toLowerCase() !== 'http') return reject(403, `${purpose}: it speaks http and tunnels https`);
  const target = parseAuthority(authority, plainPort, false);
  return 'kind' in target ? target : { ...target, path: rest.startsWith('/') ? rest : `/${rest}` };
}

const hostAndPort = /^([^:]*)(?::([1-9]\d{0,4}))?$/;
const label = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const longestHost = 253;
/** The last label of what every resolver takes for an IPv4 address, however it is written (WHATWG URL, "ends in a number"). */
const number = /^(?:\d+|0x[0-9a-f]*)$/;

function parseAuthority(authority: string, port: number, mustTell: boolean): Target | Rejection {
  if (authority.includes('@')) return reject(400, `${purpose}, and takes no user in front of a host`);
  if (authority.startsWith('[')) return address;
  const [, written, told] = hostAndPort.exec(authority) ?? [];
  if (written === undefined || (told === undefined && mustTell)) return unreadable;
  const host = written.toLowerCase().replace(/\.$/, '');
  const labels = host.split('.');
  if (number.test(labels.at(-1) ?? '')) return address;
  if (host.length > longestHost || !labels.every((each) => label.test(each))) return unreadable;
  const isOther = told !== undefined && Number(told) !== port;
  return isOther ? reject(403, `${purpose}, on port ${port}: not on port ${told}`) : { host };
}

const address = reject(403, `${purpose}, by their names: not for addresses`);
const unreadable = reject(400, `${purpose}, and this is no host and port`);
