// IP networks, as they are written in a configuration: `10.0.0.0/8`, `fd00::/8`, or a single address.
import { type Address, isIpv4, mappedBits, parseAddress } from './address.ts';

export interface Network {
  readonly address: Address;
  /** Of 128 that count. */
  readonly bits: number;
}

const pattern = /^([^/]*)(?:\/(0|[1-9]\d{0,2}))?$/;

/** Bits below the prefix are ignored. Throws a TypeError: networks come from the configuration, not from clients. */
export function parseNetwork(text: string): Network {
  const [, base = '', prefix] = pattern.exec(text) ?? [];
  const address = parseAddress(base);
  if (address === undefined) throw notNetwork();
  const above = base.includes(':') ? 0 : mappedBits;
  const bits = prefix === undefined ? 128 : above + Number(prefix);
  if (bits > 128) throw notNetwork();
  return { address, bits };
}

/** IPv4 addresses are in no IPv6 network, however wide, but in those written as IPv4-mapped. What is no address is in no network. */
export function contains(network: Network, address: string): boolean {
  // A socket tells the interface of a link-local address: fe80::1%eth0.
  const number = parseAddress(address.replace(/%[\w.-]*$/, ''));
  return number !== undefined && includes(network, number);
}

export function includes(network: Network, address: Address): boolean {
  if (isIpv4(address) && network.bits < mappedBits) return false;
  const ignored = BigInt(128 - network.bits);
  return address >> ignored === network.address >> ignored;
}

function notNetwork(): TypeError {
  return new TypeError('a network is an IP address, or one with a prefix length, such as 10.0.0.0/8 or fd00::/8');
}
