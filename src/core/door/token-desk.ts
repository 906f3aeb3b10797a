// `/token`: a registry's own token for a login that is relayed there, in our seal; or a pass of ours for who needs none.
import type { Account } from '../access/accounts.ts';
import { type Access, admitCaller, isAdmitted, takesLogins } from '../access/admit.ts';
import type { Mac } from '../access/mac.ts';
import { type Pass, seal } from '../access/seal.ts';
import type { Reply } from '../mirror/reply.ts';
import { RegistryError } from '../oci/errors.ts';
import { inPlain, type Login, parseLogin } from '../oci/login.ts';
import { holdsSecret } from '../oci/redact.ts';
import type { Routing } from '../oci/route.ts';
import { parseRequestTarget } from '../oci/target.ts';
import type { LoginMode } from '../upstream/registries.ts';
import type { Relay } from '../upstream/relay.ts';
import type { Arrival } from './arrival.ts';
import { wantsHostOfItsOwn, wantsLogin } from './challenges.ts';
import { identify, type IdentityParts, isOurs, misplacedSecret } from './identity.ts';
import { parseTokenRequest, type ShownLogin, type TokenRequest } from './token-request.ts';
import type { Visit } from './visit.ts';

export interface TokenDeskParts extends IdentityParts {
  readonly access: Access;
  readonly mac: Mac;
  readonly routing: Routing;
  readonly loginMode: (registry: string) => LoginMode | undefined;
  readonly relay: Relay;
  readonly now: () => number;
}

interface Granted {
  readonly pass: Pass;
  /** Seconds. */
  readonly life: number;
  readonly refresh?: string | undefined;
}

/** Seconds for which a pass of our own is good: as Docker Hub's tokens. */
const usualLife = 300;
/** Milliseconds that a seal outlives what is in it: clients use a token to its last second. */
const grace = 60_000;

/** Without a key there is no such page. */
export function isForToken({ path }: Arrival, mac: Mac | undefined): boolean {
  return path === '/token' && mac !== undefined;
}

export class TokenDesk {
  readonly #parts: TokenDeskParts;

  constructor(parts: TokenDeskParts) {
    this.#parts = parts;
  }

  /** `account`: that the client has shown already. Throws a RegistryError. */
  async answer(visit: Visit, account: Account | undefined, signal: AbortSignal): Promise<Reply> {
    const { access, mac, now } = this.#parts;
    const { address } = visit;
    const request = this.#parse(visit, account);
    const { registry } = request;
    if (registry === undefined) throw new RegistryError('NAME_UNKNOWN', 'the request names no registry');

    if (!takesLogins(access)) admitCaller(access, { address });
    const login = inWords(request.login);
    const ours = isOurs(this.#parts, login, this.#parts.loginMode(registry));
    const member = account ?? (ours ? await identify(this.#parts, login, address) : undefined);
    const caller = { address, ...(member && { account: member }) };
    const relayed = ours ? undefined : await this.#relayed(registry, request, address, signal);
    const granted = relayed ?? this.#ownPass(registry, request, isAdmitted(access, caller), member);
    const until = now() + granted.life * 1000 + grace;
    return tokenReply(await seal(mac, registry, granted.pass, until), granted);
  }

  /** Throws what is wrong with the request; to who is not let in, only that. */
  #parse({ arrival, address, authorization, form }: Visit, account: Account | undefined): TokenRequest {
    const { access, routing } = this.#parts;
    const post = form !== undefined;
    try {
      const parameters = post ? new URLSearchParams(form) : parseRequestTarget(arrival.target).query;
      return parseTokenRequest({ parameters, post, host: arrival.host, authorization }, routing);
    } catch (error) {
      const caller = { address, ...(account && { account }) };
      if (takesLogins(access) && !isAdmitted(access, caller)) throw new RegistryError('UNAUTHORIZED', wantsLogin);
      admitCaller(access, caller);
      throw error;
    }
  }

  /** Undefined if there is nothing to relay: no login, or one that was given for another registry. */
  async #relayed(
    registry: string,
    { login, meant, scopes, parameters }: TokenRequest,
    address: string,
    signal: AbortSignal,
  ): Promise<Granted | undefined> {
    if (login === undefined || !meant || this.#parts.loginMode(registry) !== 'own') return undefined;
    const shown = login.kind === 'header' ? [inPlain(login.authorization)] : login.fields.flat();
    if (holdsSecret([...shown, ...parameters.flat(), ...scopes].join(' '))) throw misplacedSecret();
    const { guesses, relay } = this.#parts;
    // Whether it is right, only the registry could tell.
    guesses.check('relayed', address);
    try {
      const opening = await relay({ registry, scopes, parameters, login }, signal);
      const { authorization, grantor, life, refresh } = opening;
      return { pass: { kind: 'authorization', authorization, grantor }, life, refresh };
    } catch (error) {
      if (error instanceof RegistryError && error.status === 401) guesses.failed('relayed', address);
      throw error;
    }
  }

  /** Throws UNAUTHORIZED for who must log in. */
  #ownPass(registry: string, request: TokenRequest, isIn: boolean, member: Account | undefined): Granted {
    const kept = member && this.#parts.accounts?.keptOf(member.name);
    if (member !== undefined && kept !== undefined) {
      return { pass: { kind: 'account', name: member.name, kept }, life: usualLife };
    }
    // Who has shown a login wants to know whether it is one.
    const isWrong = request.login !== undefined && request.meant && this.#parts.loginMode(registry) === 'account';
    if (isIn && !isWrong) return { pass: { kind: 'nobody' }, life: usualLife };
    const elsewhere = request.login !== undefined && !request.meant;
    const says = elsewhere ? wantsHostOfItsOwn(registry) : wantsLogin;
    throw new RegistryError('UNAUTHORIZED', says);
  }
}

function inWords(shown: ShownLogin | undefined): Login | undefined {
  if (shown?.kind === 'header') return parseLogin(shown.authorization);
  if (shown?.password === undefined) return undefined;
  const user = shown.fields.find(([name]) => name === 'username')?.[1] ?? '';
  return { kind: 'basic', user, password: shown.password };
}

function tokenReply(token: string, { life, refresh }: Granted): Reply {
  const answer = { token, access_token: token, expires_in: life, ...(refresh && { refresh_token: refresh }) };
  const bytes = new TextEncoder().encode(`${JSON.stringify(answer)}\n`);
  return {
    status: 200,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: { kind: 'bytes', bytes },
  };
}
