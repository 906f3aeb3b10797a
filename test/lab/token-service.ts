// Signs tokens for docker-registry: ES256, with the certificate in the header, as its `rootcertbundle` wants.
import { sign } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { run } from './process.ts';

const seconds = 300;

export interface TokenService {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  readonly certificate: string;
  /** Queries of the requests for a token, so far. */
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
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://lab');
    log.push(url.search.slice(1));
    const now = Math.floor(Date.now() / 1000);
    const access = url.searchParams.getAll('scope').map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',') };
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
    response.end(JSON.stringify({ token: `${signed}.${signature.toString('base64url')}`, expires_in: seconds }));
  }).listen(0, '127.0.0.1');
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

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
