// Where to listen, and where to dial: a host and a port.
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { contains, parseNetwork } from '../../core/access/networks.ts';

export interface Address {
  /** A name or an IP address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

const pattern = /^(?:\[(?<v6>[0-9a-fA-F:.]+)\]|(?<plain>[a-zA-Z0-9.-]{1,253})):(?<port>\d{1,5})$/;

/** `127.0.0.1:5050`, `[::1]:5050`, `localhost:0`. Undefined for anything else. */
export function parseAddress(found: unknown): Address | undefined {
  const { v6, plain, port } = (typeof found === 'string' && pattern.exec(found)?.groups) || {};
  const host = v6 ?? plain;
  if (host === undefined || Number(port) > 65_535) return undefined;
  if (v6 !== undefined && !isIPv6(v6)) return undefined;
  // What looks like an IPv4 address and is none would be looked up as a name.
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) return undefined;
  return { host, port: Number(port) };
}

/** An address with an IP for its host and a port to dial. */
export function parsePin(found: unknown): Address | undefined {
  const address = parseAddress(found);
  return address !== undefined && isIP(address.host) !== 0 && address.port > 0 ? address : undefined;
}

/** `host:port`, brackets around IPv6. */
export function formatAddress({ host, port }: Address): string {
  return `${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

const loopback = ['127.0.0.0/8', '::1'].map(parseNetwork);

/** Whether a Host header names this machine: a browser that was led here by somebody's DNS names that somebody. */
export function isLoopbackHost(header: string): boolean {
  const address = parseAddress(/:\d+$/.test(header) ? header : `${header}:80`);
  return address !== undefined && isLoopback(address);
}

/** Only this machine can reach it. */
export function isLoopback({ host }: Address): boolean {
  return host.toLowerCase() === 'localhost' || loopback.some((network) => contains(network, host));
}
