// Who is at the other end of a connection, and how it came: told by the socket, or by somebody before us who is trusted to tell.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { contains, type Network } from '../../core/access/networks.ts';
import { parseTls, type Tls } from '../../core/oci/tls-version.ts';

export interface Client {
  /** IPv4 also where the listener is an IPv6 one; without a zone. */
  readonly address: string;
  /** As the client sees it. */
  readonly scheme: 'http' | 'https';
  readonly tls: Tls;
}

/** Whoever ends TLS before us: what they say of others is believed. */
export type TrustedPeers = readonly Network[];

/** Who tells, in the headers of a request, how its client is connected. Where there is one, nobody else tells it. */
export type Edge = (headers: IncomingHttpHeaders) => Tls;

/** Undefined if the client is gone. */
export function clientOf({ socket, headers }: IncomingMessage, trusted: TrustedPeers, edge?: Edge): Client | undefined {
  const peer = peerOf(socket);
  if (peer === undefined) return undefined;
  const isTrusted = (address: string): boolean => trusted.some((network) => contains(network, address));
  const own = tlsOf(socket);
  const told = edge?.(headers);
  const scheme = own === 'none' ? 'http' : 'https';
  if (!isTrusted(peer)) return { address: peer, scheme, tls: told ?? own };
  // Each adds whom it heard it from: the last that is none of ours is who came, whatever he himself wrote before it.
  const came = listed(headers['x-forwarded-for'])
    .map(plain)
    .findLast((address) => !isTrusted(address));
  const address = came !== undefined && isIP(came) !== 0 ? came : peer;
  const forwarded = listed(headers['x-forwarded-proto']).at(-1)?.toLowerCase();
  if (forwarded === undefined) return { address, scheme, tls: told ?? own };
  // The socket tells only how the one before us came.
  if (forwarded === 'https') return { address, scheme: 'https', tls: told ?? 'unknown' };
  return { address, scheme: 'http', tls: told ?? 'none' };
}

/** What who passes a request on writes into it. */
const marks = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-real-ip'];

/** By somebody who does not tell for whom, or is not trusted to: whoever asks is not the one at the other end of the connection. */
export function isPassedOn({ socket, headers }: IncomingMessage, trusted: TrustedPeers): boolean {
  const peer = peerOf(socket);
  const named = listed(headers['x-forwarded-for']).map(plain);
  const isTold = named.length > 0 && named.every((address) => isIP(address) !== 0);
  if (isTold && trusted.some((network) => contains(network, peer ?? ''))) return false;
  return marks.some((name) => headers[name] !== undefined);
}

/** Whom it was heard from, whoever that speaks for. Undefined if he is gone. */
export function peerOf({ remoteAddress }: Socket): string | undefined {
  return remoteAddress && plain(remoteAddress);
}

/** `none`: it came in plain HTTP. */
export function tlsOf(socket: Socket): Tls {
  return socket instanceof TLSSocket ? parseTls(socket.getProtocol()) : 'none';
}

function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)|%.*$/g, '');
}

function listed(header: string | readonly string[] | undefined): string[] {
  const text = typeof header === 'string' ? header : (header?.join(',') ?? '');
  return text.split(',').flatMap((part) => part.trim() || []);
}
