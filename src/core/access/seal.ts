// What clients show as their token: a registry's own token in this mirror's seal, good for one registry and for a time.
//
// Without the seal whoever has some registry's token, which anybody gets, could pull through this mirror; and a client that
// knows one host for several registries would show one registry's token to another.
import { fromHex, isSame, type Mac, toHex } from './mac.ts';

/** What a token stands for. */
export type Pass =
  /** For who is let in without a login. */
  | { readonly kind: 'nobody' }
  | { readonly kind: 'account'; readonly name: string }
  /** What the registry wants to see: a token of its own, or where it has none, the client's login. */
  | { readonly kind: 'authorization'; readonly authorization: string };

const mark = 'sampan';
const pattern = /^sampan\.([0-9a-z]{1,9})\.([0-9a-f]{64})\.([natb])([!-~]*)$/;

export function isSealed(token: string): boolean {
  return token.startsWith(`${mark}.`);
}

/** `until`: milliseconds since 1970. No longer than the token that is in it, but for some 80 characters. */
export async function seal(mac: Mac, registry: string, pass: Pass, until: number): Promise<string> {
  const end = Math.ceil(until / 1000).toString(36);
  const content = textOf(pass);
  return `${mark}.${end}.${toHex(await macOf(mac, registry, end, content))}.${content}`;
}

/** Undefined for what this mirror has not sealed, or for another registry, and for what is over. */
export async function unseal(mac: Mac, registry: string, sealed: string, now: number): Promise<Pass | undefined> {
  const [, end, shown, letter, rest = ''] = pattern.exec(sealed) ?? [];
  if (end === undefined || shown === undefined || letter === undefined) return undefined;
  const right = await macOf(mac, registry, end, letter + rest);
  if (!isSame(fromHex(shown), right) || now >= Number.parseInt(end, 36) * 1000) return undefined;
  if (letter === 'n') return { kind: 'nobody' };
  if (letter === 'a') return { kind: 'account', name: rest };
  return { kind: 'authorization', authorization: `${letter === 'b' ? 'Basic' : 'Bearer'} ${rest}` };
}

function macOf(mac: Mac, registry: string, end: string, content: string): Promise<Uint8Array> | Uint8Array {
  return mac(JSON.stringify(['token', registry, end, content]));
}

function textOf(pass: Pass): string {
  if (pass.kind === 'nobody') return 'n';
  if (pass.kind === 'account') return `a${pass.name}`;
  return pass.authorization.replace(/^Bearer /, 't').replace(/^Basic /, 'b');
}
