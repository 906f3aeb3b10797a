// The lab as clients find registries in the world: Docker Hub's own host names, over TLS, from a CA that only the lab trusts.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Distribution, startDistribution } from './distribution.ts';
import type { Lab } from './lab.ts';
import { configureNginx, startNginx } from './nginx.ts';
import { freePort, run } from './process.ts';

export const hub = 'registry-1.docker.io';
const tokens = 'auth.docker.io';
const cdn = 'production.cloudfront.docker.com';

export interface Secure {
  /** The file with the CA's certificate, for SSL_CERT_FILE and NODE_EXTRA_CA_CERTS. */
  readonly ca: string;
  /** For sampan's configuration: where those hosts are. */
  readonly resolve: Readonly<Record<string, string>>;
  /** The registry behind `registry-1.docker.io`. It takes pushes from the lab's owner. */
  readonly upstream: Distribution;
  /** Empties the logs. */
  forget(): Promise<void>;
  stop(): Promise<void>;
}

/** In front of the lab's storage, token service and CDN. */
export async function startSecure(lab: Lab): Promise<Secure> {
  const directory = join(lab.directory, 'secure');
  await mkdir(directory);
  const ca = await makeCertificates(directory);
  // What the registry says of others is what the world knows them by.
  const front = { tokens: { ...lab.tokens, realm: `https://${tokens}/token` }, cdn: `https://${cdn}` };
  const upstream = await startDistribution(lab.directory, join(lab.directory, 'storage'), front);
  const port = await freePort('127.0.0.1');
  const behind = { [hub]: upstream.url, [tokens]: new URL(lab.tokens.realm).origin, [cdn]: lab.cdn.url };
  const servers = Object.entries(behind).map(
    ([host, url]) => `server {
      listen 127.0.0.1:${port} ssl;
      server_name ${host};
      location / { proxy_pass ${url}; }
    }`,
  );
  await configureNginx(
    directory,
    `access_log off;
    ssl_certificate ${join(directory, 'leaf.pem')};
    ssl_certificate_key ${join(directory, 'leaf-key.pem')};
    client_max_body_size 0;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_buffering off;
    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-Proto https;
    ${servers.join('\n')}`,
  );
  const nginx = await startNginx(directory, '127.0.0.1', port);
  return {
    ca,
    resolve: Object.fromEntries(Object.keys(behind).map((host) => [host, `127.0.0.1:${port}`])),
    upstream,
    async forget() {
      await upstream.forget();
      await lab.forget();
    },
    async stop() {
      await Promise.all([nginx.stop('SIGQUIT'), upstream.stop()]);
    },
  };
}

/** A CA, and one certificate for all three. Returns the CA's file. */
async function makeCertificates(directory: string): Promise<string> {
  const openssl = (...args: string[]) => run('openssl', args, { directory });
  const at = (name: string) => join(directory, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const ca = ['-subj', '/CN=lab CA', '-addext', 'keyUsage=critical,keyCertSign'];
  await openssl('req', '-x509', ...key, '-keyout', at('ca-key.pem'), '-out', at('ca.pem'), '-days', '2', ...ca);
  await openssl('req', ...key, '-keyout', at('leaf-key.pem'), '-out', at('leaf.csr'), '-subj', '/CN=lab');
  await writeFile(at('leaf.ext'), `subjectAltName=${[hub, tokens, cdn].map((host) => `DNS:${host}`).join(',')}\n`);
  const signed = ['-CA', at('ca.pem'), '-CAkey', at('ca-key.pem'), '-CAcreateserial', '-extfile', at('leaf.ext')];
  await openssl('x509', '-req', '-in', at('leaf.csr'), '-out', at('leaf.pem'), '-days', '2', ...signed);
  return at('ca.pem');
}
