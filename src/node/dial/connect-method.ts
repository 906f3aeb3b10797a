// Asks an HTTP proxy for a connection to somebody else (RFC 9110, section 9.3.6).
import { type Address, formatAddress } from '../config/address.ts';
import type { Via } from '../config/via.ts';
import { pseudonym } from '../pseudonym.ts';
import type { Conversation } from './conversation.ts';

const endOfHead = '\r\n\r\n';

export async function askByConnect(
  talk: Conversation,
  to: Address,
  login: Via['login'],
  cameBy: string | undefined,
): Promise<void> {
  const authority = formatAddress(to);
  // Whoever leads back here is known by it; and whoever leads back to one before us, by what that one said.
  const via = [cameBy ?? [], `1.1 ${pseudonym}`].flat().join(', ');
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`, `Via: ${via}`];
  if (login !== undefined) lines.push(`Proxy-Authorization: Basic ${basic(login)}`);
  talk.say(Buffer.from(lines.join('\r\n') + endOfHead, 'latin1'));
  const head = await talk.hear((held) => {
    const at = held.indexOf(endOfHead);
    return at < 0 ? undefined : at + endOfHead.length;
  });
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(head.toString('latin1')) ?? [];
  if (status === undefined) throw new Error('it does not speak HTTP');
  if (status === '407') throw new Error(login === undefined ? 'it wants a login (407)' : 'it refuses the login (407)');
  if (!status.startsWith('2')) throw new Error(`it answered ${status}`);
}

function basic({ user, password }: { readonly user: string; readonly password: string }): string {
  return Buffer.from(`${user}:${password}`).toString('base64');
}
