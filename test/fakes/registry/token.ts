// The token endpoint of the fake registry, and its demand for one (distribution, token authentication).
import type { ServerResponse } from 'node:http';
import type { TokenLever } from './levers.ts';
import { type Asked, fail, send } from './listener.ts';

export class Tokens {
  /** Token to the scopes that it grants. */
  readonly #granted = new Map<string, readonly string[]>();

  /** Anybody gets a token; for a private repository it grants nothing without a Basic login. */
  grant(asked: Asked, response: ServerResponse, lever: TokenLever): void {
    const known = asked.headers.authorization?.startsWith('Basic ') === true;
    const open = (scope: string) => known || lever.private?.includes(scope.split(':')[1] ?? '') !== true;
    const token = `token-${this.#granted.size + 1}`;
    this.#granted.set(token, new URLSearchParams(asked.query).getAll('scope').filter(open));
    const body = { token, access_token: token, expires_in: lever.expiresIn };
    send(asked, response, 200, { 'content-type': 'application/json' }, JSON.stringify(body));
  }

  /** All tokens given so far are worth nothing from now on. */
  revoke(): void {
    for (const token of this.#granted.keys()) this.#granted.set(token, []);
  }

  /** For a repository; undefined for the ping, which takes any token. */
  admits(asked: Asked, repository: string | undefined): boolean {
    const token = /^Bearer (.+)$/i.exec(asked.headers.authorization ?? '')?.[1] ?? '';
    const scopes = this.#granted.get(token);
    return repository === undefined ? scopes !== undefined : scopes?.includes(scopeOf(repository)) === true;
  }
}

export function challenge(
  asked: Asked,
  response: ServerResponse,
  origin: string,
  repository: string | undefined,
): void {
  const scope = repository === undefined ? [] : [`scope="${scopeOf(repository)}"`];
  const parts = [`realm="${origin}/token"`, 'service="fake registry"', ...scope];
  fail(asked, response, 401, 'UNAUTHORIZED', { 'www-authenticate': `Bearer ${parts.join(',')}` });
}

function scopeOf(repository: string): string {
  return `repository:${repository}:pull`;
}
