// Signs tokens for docker-registry: ES256, with the certificate in the header, as its `rootcertbundle` wants.
import { sign } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { run } from './process.ts';

const seconds = 300;
/** Logins, and whether the repositories below `private/` are theirs. */
const logins: ReadonlyMap<string, boolean> = new Map([
  ['owner:swordfish', true],
  ['mate:swordfish', true],
  ['guest:swordfish', false],
]);

export interface TokenService {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  readonly certificate: string;
  /** Queries of the requests for a token, and the forms of those that had one, so far. */
  readonly log: string[];
  close(): Promise<void>;
}

export async function startTokenService(directory: string): Promise<TokenService> {
  const [key, certificate] = [join(directory, 'token-key.pem'), join(directory, 'token-cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  await run(
    'openssl',
    ['req', '-x509', ...curve, '-keyout', key, '-out', certificate, '-days', '2', '-subj', '/CN=lab'],
    { directory },
  );
  const privateKey = await readFile(key, 'utf8');
  const x5c = [(await readFile(certificate, 'utf8')).replaceAll(/-----[^-]+-----|\s/g, '')];
  const [service, issuer] = ['lab registry', 'lab tokens'];

  const log: string[] = [];
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1');
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const isForm = request.method === 'POST';
    const asked = isForm ? await text(request) : new URL(request.url ?? '', 'http://lab').search.slice(1);
    log.push(asked);
    const parameters = new URLSearchParams(asked);
    const login = loginOf(request, parameters);
    if (login !== undefined && !logins.has(login)) return void response.writeHead(401).end();
    const now = Math.floor(Date.now() / 1000);
    const scopes = parameters.getAll('scope').flatMap((scope) => scope.split(' '));
    const access = scopes.flatMap((scope) => {
      const [type, name = '', actions = ''] = scope.split(':');
      const isOpen = !name.startsWith('private/') || (login !== undefined && logins.get(login) === true);
      return isOpen ? [{ type, name, actions: actions.split(',') }] : [];
    });
    const claims = {
      iss: issuer,
      sub: '',
      aud: service,
      iat: now,
      nbf: now - 10,
      exp: now + seconds,
      jti: String(log.length),
      access,
    };
    const signed = `${encode({ typ: 'JWT', alg: 'ES256', x5c })}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    response.setHeader('content-type', 'application/json');
    const token = `${signed}.${signature.toString('base64url')}`;
    response.end(JSON.stringify({ token, access_token: token, expires_in: seconds }));
  }
  await once(server, 'listening');
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return {
    realm,
    service,
    issuer,
    certificate,
    log,
    async close() {
      if (!server.listening) return;
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function loginOf({ headers }: IncomingMessage, parameters: URLSearchParams): string | undefined {
  const [, encoded] = /^Basic (.+)$/.exec(headers.authorization ?? '') ?? [];
  if (encoded !== undefined) return Buffer.from(encoded, 'base64').toString();
  return parameters.has('password') ? `${parameters.get('username')}:${parameters.get('password')}` : undefined;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
