// The door: who comes, what he must show first, and what he is told if that will not do. Behind it is the mirror.
import type { Account } from '../access/accounts.ts';
import { admitCaller, isAdmitted, takesLogins } from '../access/admit.ts';
import type { Caller } from '../access/caller.ts';
import type { Mac } from '../access/mac.ts';
import { type Rules, wantsAccount } from '../access/rules.ts';
import { isSealed, unseal } from '../access/seal.ts';
import { looksSecret } from '../access/secret.ts';
import { errorReply } from '../mirror/replies.ts';
import type { Reply } from '../mirror/reply.ts';
import { RegistryError } from '../oci/errors.ts';
import { inPlain, type Login, parseLogin } from '../oci/login.ts';
import { type Pull, parsePull, repositoryOf } from '../oci/pull.ts';
import { usualRegistry } from '../oci/route.ts';
import { holdsSecret } from '../oci/redact.ts';
import type { LoginMode } from '../upstream/registries.ts';
import type { Arrival } from './arrival.ts';
import { complaintOf, isByPath, mustLogIn, registryOf, type WayIn, wantsHostOfItsOwn, wayIn } from './challenges.ts';
import { identify, isOurs, misplacedSecret, ownerOf } from './identity.ts';
import type { Ration, Limit } from './limit.ts';
import { isForToken, TokenDesk, type TokenDeskParts } from './token-desk.ts';
import type { Visit } from './visit.ts';

export interface DoorParts extends Omit<TokenDeskParts, 'mac'> {
  /** Undefined: without a key there are neither accounts nor tokens. */
  readonly mac: Mac | undefined;
  /** Of a registry, those that may have granted what a client shows. */
  readonly endpoints: (registry: string) => readonly string[];
  /** Who may pull what at all. None, if nobody says. */
  readonly rules?: Rules;
  /** Undefined: everybody asks as often as he likes. */
  readonly limit?: Limit | undefined;
  /** The mirror's. Never throws, unless the signal is aborted. */
  readonly pull: (pull: Pull, caller: Caller, signal: AbortSignal) => Promise<Reply>;
}

/** What a request turned out to ask for. */
export type Asked = Pull | { readonly kind: 'token' };

export interface Welcome {
  readonly reply: Reply;
  /** Undefined for who was not listened to, or asked for nothing that there is. */
  readonly asked: Asked | undefined;
  /** What the reply may have of its client's limits. Whoever sends it says when that is over. */
  readonly ration?: Ration | undefined;
}

/** How far a visit has come. */
interface Course {
  caller: Caller;
  asked?: Asked;
  ration?: Ration | undefined;
  isCounted?: boolean;
}

export class Door {
  readonly #parts: DoorParts;
  readonly #tokens: TokenDesk | undefined;

  constructor(parts: DoorParts) {
    const { mac } = parts;
    this.#parts = parts;
    this.#tokens = mac && new TokenDesk({ ...parts, mac });
  }

  /** Such a request is answered by GET, and by POST with a form. */
  isForToken(arrival: Arrival): boolean {
    return isForToken(arrival, this.#parts.mac);
  }

  /** Whoever gets the reply sends its body or discards it. */
  async answer(visit: Visit, signal: AbortSignal): Promise<Welcome> {
    const course: Course = { caller: { address: visit.address } };
    let reply: Reply;
    try {
      reply = await this.#answer(visit, signal, course);
    } catch (error) {
      const final = await this.#counted(error, course, signal);
      if (!(final instanceof RegistryError)) {
        course.ration?.over();
        throw final;
      }
      reply = errorReply(final, visit.method === 'HEAD');
    }
    return { reply, asked: course.asked, ration: course.ration };
  }

  async #answer(visit: Visit, signal: AbortSignal, course: Course): Promise<Reply> {
    const { access, routing } = this.#parts;
    const { address, arrival } = visit;
    const login = parseLogin(visit.authorization);
    const shown = this.#ownerOf(arrival, login, address);
    const account = shown && (await shown);
    const known: Caller = { address, ...(account && { account }) };
    course.caller = known;
    if (this.#tokens !== undefined && this.isForToken(arrival)) {
      course.asked = { kind: 'token' };
      if (this.#parts.limit !== undefined) await this.#count(course, signal);
      return this.#tokens.answer(visit, account, signal);
    }
    // Before the path is looked at: what is configured here is not for everybody to know.
    const isIn = isAdmitted(access, known);
    if (!isIn && !takesLogins(access)) admitCaller(access, known);
    const pull = await this.#parse(visit, login, known);
    course.asked = pull;
    const way = wayIn(pull, arrival, routing, this.#modeFor(pull, known), isIn);
    const caller = login === undefined ? known : await this.#callerOf(visit, pull, login, known, way);
    course.caller = caller;
    // docker and podman look nowhere but here whether they should log in.
    const asks = pull.kind === 'ping' && login === undefined && account === undefined;
    const isOut = !isIn && !isAdmitted(access, caller);
    if (way !== undefined && (asks || isOut || this.#wantsAccount(pull, caller))) throw mustLogIn(way);
    if (isOut) admitCaller(access, caller);
    if (this.#parts.limit !== undefined) await this.#count(course, signal, pull.kind === 'blob' && !pull.head);
    const reply = await this.#parts.pull(pull, caller, signal);
    return reply.status === 401 ? this.#refused(reply, pull, way, caller, visit) : linkedBack(reply, arrival);
  }

  async #count(course: Course, signal: AbortSignal, blob = false): Promise<void> {
    course.isCounted = true;
    course.ration = await this.#parts.limit?.(course.caller, { blob, signal });
  }

  /** What is refused before it was counted counts too: the error, or that of who has asked too much. */
  async #counted(error: unknown, course: Course, signal: AbortSignal): Promise<unknown> {
    try {
      if (course.isCounted !== true) await this.#count(course, signal);
      return error;
    } catch (limited) {
      return limited;
    }
  }

  /** Where nobody logs in for a registry, somebody may have to for being let in here at all. */
  #modeFor(pull: Pull, known: Caller): (registry: string) => LoginMode | undefined {
    const { accounts, loginMode } = this.#parts;
    const needed = this.#isOut(known) || (accounts?.areAny === true && this.#wantsAccount(pull, known));
    return (registry) => loginMode(registry) ?? (needed ? 'account' : undefined);
  }

  /** As he comes; with an account he would be let in. */
  #isOut(known: Caller): boolean {
    const { access, accounts } = this.#parts;
    return accounts?.areAny === true && takesLogins(access) && !isAdmitted(access, known);
  }

  #wantsAccount(pull: Pull, caller: Caller): boolean {
    const repository = repositoryOf(pull);
    const { rules = [] } = this.#parts;
    return repository !== undefined && caller.authorization === undefined && wantsAccount(rules, caller, repository);
  }

  /** Of a made secret, a login's before the address's. Passwords come later: whose they are to be, what is asked for may tell. */
  #ownerOf({ secret }: Arrival, login: Login | undefined, address: string): Promise<Account | undefined> | undefined {
    const owner = secret === undefined ? undefined : ownerOf(this.#parts, secret, address);
    if (!isMade(login)) return owner;
    const shown = () => identify(this.#parts, login, address);
    return owner?.then(shown) ?? shown();
  }

  /** Throws what is wrong with the request; to who is not let in, only that. */
  #parse(visit: Visit, login: Login | undefined, known: Caller): Pull | Promise<Pull> {
    const { method, arrival, range, ifNoneMatch, ifRange } = visit;
    const { target, host } = arrival;
    try {
      const pull = parsePull({ method, target, host, range, ifNoneMatch, ifRange }, this.#parts.routing);
      if (!holdsSecret(repositoryOf(pull)?.name ?? '')) return pull;
      throw new RegistryError('NAME_INVALID', 'a secret stands first in the path, or first in the host, or nowhere');
    } catch (error) {
      return this.#wrong(error, arrival, login, known);
    }
  }

  /** Who asks for nothing that there is hears, if he is not let in, what he would hear if there were. */
  async #wrong(error: unknown, { host }: Arrival, login: Login | undefined, known: Caller): Promise<never> {
    const { access, loginMode, routing } = this.#parts;
    const isOut = this.#isOut(known);
    // Clients keep logins by host: one for its registry is nobody's guess at a password of ours.
    const usual = usualRegistry(host, routing);
    const mode = (usual === undefined ? undefined : loginMode(usual)) ?? (isOut ? 'account' : undefined);
    const caller = isOurs(this.#parts, login, mode) ? await this.#member(login, known) : known;
    if (isOut && caller === known) throw mustLogIn();
    admitCaller(access, caller);
    throw error;
  }

  /** With the account whose login it is, made secret or password. The secret of an address vouches for no password beside it. */
  async #member(login: Login | undefined, known: Caller): Promise<Caller> {
    if (isMade(login) && known.account !== undefined) return known;
    const account = await identify(this.#parts, login, known.address);
    return account === undefined ? known : { ...known, account };
  }

  /** What the login stands for, at the registry that is asked. */
  async #callerOf(
    { authorization, arrival }: Visit,
    pull: Pull,
    login: Login,
    known: Caller,
    way: WayIn | undefined,
  ): Promise<Caller> {
    if (authorization === undefined) return known;
    if (isOurs(this.#parts, login, way?.mode)) return this.#member(login, known);
    if (login.kind === 'bearer' && isSealed(login.token)) {
      const registry = registryOf(pull);
      const caller = registry === undefined ? undefined : await this.#bearerOf(login.token, registry, known);
      if (caller !== undefined) return caller;
    } else if (way === undefined) {
      if (isByPath(pull, arrival, this.#parts.routing)) return known;
      if (holdsSecret(inPlain(authorization))) throw misplacedSecret();
      return { ...known, authorization };
    }
    throw way === undefined
      ? new RegistryError('UNAUTHORIZED', 'the token is not good here')
      : mustLogIn(way, 'invalid_token');
  }

  /** An upstream's challenge would lead the login for this mirror to somebody else. */
  #refused(reply: Reply, pull: Pull, way: WayIn | undefined, caller: Caller, { arrival, method }: Visit): Reply {
    const denied = (says: string) => errorReply(new RegistryError('DENIED', says), method === 'HEAD');
    if (caller.account !== undefined && way?.mode !== 'own') {
      return denied('it is not public, and the rules of this account do not name it');
    }
    if (way !== undefined) {
      const complaint = complaintOf(reply.headers['www-authenticate']);
      return { ...reply, headers: { ...reply.headers, 'www-authenticate': way.challenge(complaint) } };
    }
    if (!isByPath(pull, arrival, this.#parts.routing)) return reply;
    return denied(`it is not public, and ${wantsHostOfItsOwn(registryOf(pull))}`);
  }

  /** Undefined if our seal is broken, over, another registry's, or an account's that is no more or has another secret. */
  async #bearerOf(sealed: string, registry: string, known: Caller): Promise<Caller | undefined> {
    const { mac, accounts, endpoints, now } = this.#parts;
    const keptOf = (name: string) => accounts?.keptOf(name);
    const pass = mac && (await unseal(mac, { registry, endpoints: endpoints(registry), keptOf }, sealed, now()));
    if (pass?.kind === 'authorization') {
      return { ...known, authorization: pass.authorization, grantor: pass.grantor };
    }
    if (pass?.kind !== 'account') return pass && known;
    const account = accounts?.byName(pass.name, known.address);
    return account && { ...known, account };
  }
}

/** With a secret that this mirror has made, as far as its form tells. */
function isMade(login: Login | undefined): boolean {
  return login?.kind === 'basic' && looksSecret(login.password);
}

/** To the next page of a list with the secret that this one was asked with. */
function linkedBack(reply: Reply, { back }: Arrival): Reply {
  const { link } = reply.headers;
  if (typeof link !== 'string') return reply;
  return {
    ...reply,
    headers: { ...reply.headers, link: link.replace(/^<([^>]*)/, (_, path: string) => `<${back(path)}`) },
  };
}
