// IP addresses as numbers, so that IPv4 and IPv6 are compared in the same way.

/** 128 bits; IPv4 in its IPv4-mapped form, `::ffff:a.b.c.d` (RFC 4291, section 2.5.5.2). */
export type Address = bigint;

/** The network of all IPv4 addresses, `::ffff:0:0/96`. */
export const mappedBits = 96;
const mapped = 0xffffn << 32n;

const octet = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ipv4 = new RegExp(`^${octet}\\.${octet}\\.${octet}\\.${octet}$`);
const group = /^[0-9a-f]{1,4}$/i;
const longest = '0000:0000:0000:0000:0000:ffff:255.255.255.255'.length;

export function isIpv4(address: Address): boolean {
  return address >> 32n === 0xffffn;
}

/** Undefined for anything but an address in full. No octal numbers, no zone, no port, no brackets. */
export function parseAddress(text: string): Address | undefined {
  if (text.length > longest) return undefined;
  if (text.includes(':')) return parseIpv6(text);
  const number = parseIpv4(text);
  return number === undefined ? undefined : mapped | number;
}

/** Whose it is, for who counts: of IPv6 a network is one client, which has as many addresses as it likes. */
export function clientOf(text: string): string {
  const address = parseAddress(text);
  return address === undefined || isIpv4(address) ? text : `${(address >> 64n).toString(16)}/64`;
}

/** 32 bits. At each request, so it becomes a bigint only in the end. */
function parseIpv4(text: string): bigint | undefined {
  const found = ipv4.exec(text);
  if (found === null) return undefined;
  return BigInt(found.slice(1).reduce((number, part) => number * 256 + Number(part), 0));
}

function parseIpv6(text: string): Address | undefined {
  const halves = text.split('::');
  const groups = halves.map(parseGroups);
  const [head, tail] = groups;
  if (head === undefined || halves.length > 2 || groups.includes(undefined)) return undefined;
  if (halves.length === 1) return head.length === 8 ? join(head, 16n) : undefined;
  const rest = tail ?? [];
  // `::` stands for at least one group of zeros.
  if (head.length + rest.length > 7 || (halves[0] ?? '').includes('.')) return undefined;
  const zeros = Array.from({ length: 8 - head.length - rest.length }, () => 0n);
  return join([...head, ...zeros, ...rest], 16n);
}

/** 16 bits each; the last two may be written as an IPv4 address. */
function parseGroups(text: string): readonly bigint[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const last = parts.at(-1) ?? '';
  const embedded = last.includes('.') ? parseIpv4(last) : undefined;
  const plain = embedded === undefined ? parts : parts.slice(0, -1);
  if (!plain.every((part) => group.test(part))) return undefined;
  const numbers = plain.map((part) => BigInt(`0x${part}`));
  return embedded === undefined ? numbers : [...numbers, embedded >> 16n, embedded & 0xffffn];
}

function join(parts: readonly bigint[], bits: bigint): bigint {
  return parts.reduce((number, part) => (number << bits) | part, 0n);
}
