// Which addresses are on the public internet: the only ones that a redirect of somebody else's may lead to.
import { type Address, isIpv4, parseAddress } from './address.ts';
import { includes, type Network, parseNetwork } from './networks.ts';

// IANA's special-purpose registry for IPv4 (RFC 6890 and later), and what clouds put inside their machines' reach.
const notPublicIpv4 = networks(
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT; Alibaba's metadata, 100.100.100.200
  '127.0.0.0/8', // loopback
  '168.63.129.16', // Azure's own services
  '169.254.0.0/16', // link-local; metadata of most clouds, 169.254.169.254
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments; Oracle's metadata, 192.0.0.192
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
);

// Of IPv6 only this is given out; loopback, unspecified, fc00::/7, fe80::/10, ff00::/8 and 64:ff9b:1::/48 lie outside.
const globalUnicast = parseNetwork('2000::/3');
const notPublicIpv6 = networks(
  '2001::/23', // protocol assignments, with Teredo, benchmarks and ORCHID
  '2001:db8::/32', // documentation
  '3fff::/20', // documentation
);

// Addresses that stand for an IPv4 address are as public as that one is.
const embeddings: readonly { readonly network: Network; readonly shift: bigint }[] = [
  { network: parseNetwork('64:ff9b::/96'), shift: 0n }, // NAT64 (RFC 6052): on an IPv6-only network every IPv4 host is here
  { network: parseNetwork('2002::/16'), shift: 80n }, // 6to4 (RFC 3056)
];

/** False for what is no address at all, and for an address with a zone. */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text);
  if (address === undefined) return false;
  if (isIpv4(address)) return isPublicIpv4(address);
  const embedding = embeddings.find(({ network }) => includes(network, address));
  if (embedding !== undefined) return isPublicIpv4(ipv4At(address, embedding.shift));
  return includes(globalUnicast, address) && !notPublicIpv6.some((network) => includes(network, address));
}

function isPublicIpv4(address: Address): boolean {
  return !notPublicIpv4.some((network) => includes(network, address));
}

function ipv4At(address: Address, shift: bigint): Address {
  return (0xffffn << 32n) | ((address >> shift) & 0xffff_ffffn);
}

function networks(...texts: readonly string[]): readonly Network[] {
  return texts.map(parseNetwork);
}
