// Who is at the other end of a connection, and how it came: told by the socket, or by a peer that is trusted to tell.
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { contains, type Network } from '../../core/access/networks.ts';

export interface Client {
  /** IPv4 also where the listener is an IPv6 one; without a zone. */
  readonly address: string;
  /** As the client sees it. */
  readonly scheme: 'http' | 'https';
}

/** Whoever ends TLS before us: what they say of others is believed. */
export type TrustedPeers = readonly Network[];

/** Undefined if the client is gone. */
export function clientOf({ socket, headers }: IncomingMessage, trusted: TrustedPeers): Client | undefined {
  const peer = socket.remoteAddress && plain(socket.remoteAddress);
  if (peer === undefined) return undefined;
  const isTrusted = (address: string): boolean => trusted.some((network) => contains(network, address));
  if (!isTrusted(peer)) return { address: peer, scheme: 'http' };
  // Each adds whom it heard it from: the last that is none of ours is who came, whatever he himself wrote before it.
  const came = listed(headers['x-forwarded-for'])
    .map(plain)
    .findLast((address) => !isTrusted(address));
  return {
    address: came !== undefined && isIP(came) !== 0 ? came : peer,
    scheme: listed(headers['x-forwarded-proto']).at(-1)?.toLowerCase() === 'https' ? 'https' : 'http',
  };
}

function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)|%.*$/g, '');
}

function listed(header: string | readonly string[] | undefined): string[] {
  const text = typeof header === 'string' ? header : (header?.join(',') ?? '');
  return text.split(',').flatMap((part) => part.trim() || []);
}
