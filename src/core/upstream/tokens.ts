// Our own tokens: fetched once however many ask, and kept until they are about to end (distribution, token authentication).
import { basic } from '../oci/login.ts';
import type { Clock } from '../mirror/ports.ts';
import { RegistryError } from '../oci/errors.ts';
import { drain, isRecord, parseJson, readWhole } from './body.ts';
import type { Bounded } from '../oci/bounded.ts';
import { RefusedCredentials, refusal } from './failure.ts';
import type { Fetch, UpstreamRequest, UpstreamResponse } from './fetch.ts';
import type { Credentials } from './registries.ts';

/** Who grants tokens for an endpoint, as its challenge said and the policy allowed. */
export interface Issuer {
  readonly realm: string;
  readonly service: string | undefined;
  readonly trust: UpstreamRequest['trust'];
}

/** What a token is for. */
export interface Wanted {
  /** Who is to see it, and nobody else: other registries may have the same issuer, by their own word. */
  readonly registry: string;
  readonly endpoint: string;
  readonly issuer: Issuer;
  readonly scope: string;
  /** In whose name; undefined: nobody's. */
  readonly credentials: Credentials | undefined;
}

export interface KeptToken {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

const largestAnswer = 1024 * 1024;
/** No registry takes a longer header. */
const longestToken = 64 * 1024;
/** Seconds; what holds if the service does not say, and the least that it may say. */
const usualLife = 60;

export class Tokens {
  readonly #clock: Clock;
  readonly #userAgent: string;
  readonly #kept: Bounded<KeptToken>;
  readonly #running = new Map<string, Promise<string>>();

  constructor(kept: Bounded<KeptToken>, clock: Clock, userAgent: string) {
    this.#kept = kept;
    this.#clock = clock;
    this.#userAgent = userAgent;
  }

  /**
   * The request for a token is nobody's: who leaves does not stop it for the others. `ask` ends what takes too long.
   * Throws TOOMANYREQUESTS, UNAUTHORIZED, DENIED, UNAVAILABLE, or the signal's reason.
   */
  async get(wanted: Wanted, ask: Fetch, signal: AbortSignal): Promise<string> {
    const key = keyOf(wanted);
    const kept = this.#kept.get(key);
    if (kept !== undefined && this.#clock.now() < kept.until) return kept.token;
    let running = this.#running.get(key);
    if (running === undefined) {
      running = this.#bring(key, wanted, ask).finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return unlessAborted(running, signal);
  }

  /** This token was refused. What has replaced it since stays. */
  forget(wanted: Wanted, token: string): void {
    const key = keyOf(wanted);
    if (this.#kept.get(key)?.token === token) this.#kept.delete(key);
  }

  async #bring(key: string, { issuer, scope, credentials }: Wanted, ask: Fetch): Promise<string> {
    const url = new URL(issuer.realm);
    if (issuer.service !== undefined) url.searchParams.set('service', issuer.service);
    url.searchParams.set('scope', scope);
    const asked = this.#clock.now();
    const { signal } = new AbortController();
    const headers = {
      ...tokenHeaders(this.#userAgent),
      ...(credentials && { authorization: basic(credentials.username, credentials.password) }),
    };
    const response = await ask({ method: 'GET', url: url.href, headers, signal, trust: issuer.trust });
    if (response.status !== 200) {
      void drain(response);
      const { status } = response;
      const isRefusal = status !== 429 && status < 500;
      if (credentials === undefined || !isRefusal) throw refusal(url.host, response, this.#clock.now());
      throw new RefusedCredentials(url.host, status);
    }
    const { token, life } = await readToken(response, url.host, this.#clock);
    this.#kept.set(key, { token, until: asked + 0.9 * life * 1000 });
    return token;
  }
}

function keyOf({ registry, endpoint, issuer, scope, credentials }: Wanted): string {
  return JSON.stringify([registry, endpoint, issuer.realm, issuer.service, scope, credentials?.username]);
}

/** Of every request for a token. */
export function tokenHeaders(userAgent: string): Record<string, string> {
  return { 'user-agent': userAgent, 'accept-encoding': 'identity', accept: 'application/json' };
}

interface Grant {
  readonly token: string;
  /** Seconds. */
  readonly life: number;
  /** What a client that asked for it may come with again, in place of its password. */
  readonly refresh: string | undefined;
}

/** Whatever comes with a 200 and is no token: a page of a captive portal, half an answer. 503, for it may well pass. */
export async function readToken(response: UpstreamResponse, host: string, clock: Clock): Promise<Grant> {
  const bytes = await readWhole(response, largestAnswer, host, clock);
  const answer = bytes === undefined ? undefined : parseJson(bytes);
  const { token, access_token: other, expires_in: life, refresh_token: refresh } = isRecord(answer) ? answer : {};
  const found = typeof token === 'string' && token !== '' ? token : other;
  if (typeof found !== 'string' || found.length > longestToken || !/^[\x21-\x7e]+$/.test(found)) {
    throw new RegistryError('UNAVAILABLE', `the token service ${host} sent an answer without a token`);
  }
  const told = typeof life === 'number' && Number.isFinite(life) ? life : usualLife;
  return { token: found, life: Math.max(told, usualLife), refresh: typeof refresh === 'string' ? refresh : undefined };
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
