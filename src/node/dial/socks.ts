// Asks a SOCKS5 proxy for a connection to somebody else (RFC 1928, RFC 1929). It is given the name and looks it up itself.
import { isIPv4 } from 'node:net';
import { parseAddress } from '../../core/access/address.ts';
import type { Address } from '../config/address.ts';
import type { Via } from '../config/via.ts';
import { type Conversation, exactly } from './conversation.ts';

const version = 5;
const noLogin = 0;
const userAndPassword = 2;
const toConnect = 1;
const kind = { ipv4: 1, name: 3, ipv6: 4 };

/** RFC 1928, section 6. */
const refusals = [
  '',
  'it failed',
  'its rules do not allow it',
  'the network is unreachable',
  'the host is unreachable',
  'the connection was refused',
  'the TTL expired',
  'it does not know how to connect',
  'it does not know that kind of address',
];

export async function askBySocks(talk: Conversation, to: Address, login: Via['login']): Promise<void> {
  const methods = login === undefined ? [noLogin] : [noLogin, userAndPassword];
  talk.say(Uint8Array.of(version, methods.length, ...methods));
  const [spoken, method] = await talk.hear(exactly(2));
  if (spoken !== version) throw new Error('it does not speak SOCKS5');
  if (login !== undefined && method === userAndPassword) await logIn(talk, login);
  else if (method !== noLogin) throw new Error('it takes no such login');

  const port = Uint8Array.of(to.port >> 8, to.port & 0xff);
  talk.say(Buffer.concat([Uint8Array.of(version, toConnect, 0), addressBytes(to.host), port]));
  const [, refused = 1] = await talk.hear(wholeReply);
  if (refused !== 0) throw new Error(refusals[refused] ?? `it answered ${refused}`);
}

async function logIn(talk: Conversation, login: NonNullable<Via['login']>): Promise<void> {
  const fields = [login.user, login.password].map((text) => Buffer.from(text));
  talk.say(Buffer.concat([Uint8Array.of(1), ...fields.flatMap((field) => [Uint8Array.of(field.length), field])]));
  const [, refused] = await talk.hear(exactly(2));
  if (refused !== 0) throw new Error('it refuses the login');
}

function addressBytes(host: string): Uint8Array {
  const number = parseAddress(host);
  if (number === undefined) return Buffer.concat([Uint8Array.of(kind.name, host.length), Buffer.from(host, 'latin1')]);
  const bytes = Buffer.from(number.toString(16).padStart(32, '0'), 'hex');
  const [type, first] = isIPv4(host) ? [kind.ipv4, 12] : [kind.ipv6, 0];
  return Buffer.concat([Uint8Array.of(type), bytes.subarray(first)]);
}

/** With where the proxy dials from, which is of no use to us. A refusal may come without. */
function wholeReply(held: Buffer): number | undefined {
  const [, refused, , type, first] = held;
  if (refused !== undefined && refused !== 0) return held.length;
  if (first === undefined) return undefined;
  const rest = { [kind.ipv4]: 4, [kind.name]: 1 + first, [kind.ipv6]: 16 }[type ?? 0];
  if (rest === undefined) throw new Error('it does not speak SOCKS5');
  const length = 4 + rest + 2;
  return held.length < length ? undefined : length;
}
