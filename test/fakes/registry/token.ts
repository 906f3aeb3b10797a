// The token endpoint of the fake registry, and its demand for one (distribution, token authentication).
import type { ServerResponse } from 'node:http';
import type { TokenLever } from './levers.ts';
import { type Asked, fail, send } from './listener.ts';

export class Tokens {
  /** Token to the scopes that it grants. */
  readonly #granted = new Map<string, readonly string[]>();
  /** Token to the login that it was given for, `user:password`. */
  readonly #logins = new Map<string, string | undefined>();

  /** Anybody gets a token; for a private repository it grants nothing without a login. */
  grant(asked: Asked, response: ServerResponse, lever: TokenLever): void {
    const isForm = asked.method === 'POST';
    if (isForm && lever.post !== true) return fail(asked, response, 404, 'UNSUPPORTED');
    const parameters = new URLSearchParams(isForm ? asked.form : asked.query);
    const login = isForm ? loginOfForm(parameters) : loginOfHeader(asked);
    const opened =
      login === undefined ? [] : (lever.logins?.[login] ?? (lever.logins ? undefined : (lever.private ?? [])));
    if (opened === undefined) return fail(asked, response, 401, 'UNAUTHORIZED');
    const open = (name: string) => opened.includes(name) || lever.private?.includes(name) !== true;
    const token = `${lever.mark ?? ''}token-${this.#granted.size + 1}`;
    this.#logins.set(token, login);
    const scopes = parameters.getAll('scope').flatMap((scope) => scope.split(' '));
    this.#granted.set(
      token,
      scopes.filter((scope) => open(scope.split(':')[1] ?? '')),
    );
    const offline = parameters.get('access_type') === 'offline' || parameters.get('offline_token') === 'true';
    const refresh = offline && login !== undefined ? { refresh_token: `refresh ${login}` } : {};
    const body = { token, access_token: token, expires_in: lever.expiresIn, ...refresh };
    send(asked, response, 200, { 'content-type': 'application/json' }, JSON.stringify(body));
  }

  /** Worth nothing from now on: all tokens given so far, or the one in this `Authorization`. */
  revoke(authorization?: string): void {
    const revoked = authorization === undefined ? this.#granted.keys() : [authorization.replace('Bearer ', '')];
    for (const token of revoked) this.#granted.set(token, []);
  }

  /** Whose token, or whose login, a request shows. */
  loginOf({ headers }: Pick<Asked, 'headers'>): string | undefined {
    const [, scheme = '', shown = ''] = /^(\S+) (.*)$/.exec(headers.authorization ?? '') ?? [];
    return scheme.toLowerCase() === 'basic' ? Buffer.from(shown, 'base64').toString() : this.#logins.get(shown);
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

function loginOfHeader({ headers }: Asked): string | undefined {
  const [, encoded] = /^Basic (.+)$/.exec(headers.authorization ?? '') ?? [];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
}

function loginOfForm(form: URLSearchParams): string {
  const refresh = form.get('refresh_token');
  return refresh === null ? `${form.get('username')}:${form.get('password')}` : refresh.replace('refresh ', '');
}

function scopeOf(repository: string): string {
  return `repository:${repository}:pull`;
}
