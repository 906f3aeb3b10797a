// What clients show as their token: a registry's own token in this mirror's seal, good for one registry and for a time.
//
// Without the seal whoever has some registry's token, which anybody gets, could pull through this mirror; a client that knows
// one host for several registries would show one registry's token to another; and so would we, of a registry's endpoints.
import { fromHex, isSame, type Mac, toHex } from './mac.ts';

/** What a token stands for. */
export type Pass =
  /** For who is let in without a login. */
  | { readonly kind: 'nobody' }
  | {
      readonly kind: 'account';
      readonly name: string;
      /** `Accounts.keptOf` it. The seal holds for it, but does not tell it. */
      readonly kept: string;
    }
  /** What the registry wants to see: a token of its own, or where it has none, the client's login. */
  | {
      readonly kind: 'authorization';
      readonly authorization: string;
      /** Of the registry's endpoints the one that it is for. The seal holds for it, but does not tell it. */
      readonly grantor: string;
    };

const mark = 'sampan';
const pattern = /^sampan\.([0-9a-z]{1,9})\.([0-9a-f]{64})\.([natb])([!-~]*)$/;

export function isSealed(token: string): boolean {
  return token.startsWith(`${mark}.`);
}

/** `until`: milliseconds since 1970. No longer than the token that is in it, but for some 80 characters. */
export async function seal(mac: Mac, registry: string, pass: Pass, until: number): Promise<string> {
  const end = Math.ceil(until / 1000).toString(36);
  const content = textOf(pass);
  return `${mark}.${end}.${toHex(await macOf(mac, registry, end, content, untoldOf(pass)))}.${content}`;
}

/** What a seal may hold for here. */
export interface Place {
  readonly registry: string;
  readonly endpoints: readonly string[];
  readonly keptOf: (account: string) => string | undefined;
}

/**
 * Undefined for what this mirror has not sealed, or for another registry or an endpoint that is none of its own, or an account
 * whose secret or password was another one, and for what is over.
 */
export async function unseal(
  mac: Mac,
  { registry, endpoints, keptOf }: Place,
  sealed: string,
  now: number,
): Promise<Pass | undefined> {
  const [, end, shown, letter, rest = ''] = pattern.exec(sealed) ?? [];
  if (end === undefined || shown === undefined || letter === undefined) return undefined;
  if (now >= Number.parseInt(end, 36) * 1000) return undefined;
  const holds = async (untold?: string) =>
    isSame(fromHex(shown), await macOf(mac, registry, end, letter + rest, untold));
  if (letter === 'n') return (await holds()) ? { kind: 'nobody' } : undefined;
  if (letter === 'a') {
    const kept = keptOf(rest);
    return kept !== undefined && (await holds(kept)) ? { kind: 'account', name: rest, kept } : undefined;
  }
  const authorization = `${letter === 'b' ? 'Basic' : 'Bearer'} ${rest}`;
  for (const grantor of endpoints) {
    if (await holds(grantor)) return { kind: 'authorization', authorization, grantor };
  }
  return undefined;
}

function macOf(
  mac: Mac,
  registry: string,
  end: string,
  content: string,
  untold: string | undefined,
): Promise<Uint8Array> | Uint8Array {
  return mac(JSON.stringify(['token', registry, end, content, untold]));
}

function untoldOf(pass: Pass): string | undefined {
  if (pass.kind === 'nobody') return undefined;
  return pass.kind === 'account' ? pass.kept : pass.grantor;
}

function textOf(pass: Pass): string {
  if (pass.kind === 'nobody') return 'n';
  if (pass.kind === 'account') return `a${pass.name}`;
  return pass.authorization.replace(/^Bearer /, 't').replace(/^Basic /, 'b');
}
