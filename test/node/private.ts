// A registry over TLS whose certificates are from an authority that nobody believes but who is told to.
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import type { TestContext } from 'node:test';
import { createSecureContext, createServer, type TLSSocket } from 'node:tls';
import { issueLeaf, issuerOf, makeAuthority, makeKey } from '../../src/node/proxy/certificates.ts';
import { startCdn } from '../fakes/registry/cdn.ts';
import { FakeRegistry } from '../fakes/registry/registry.ts';

/** Its tokens are at https://auth.lan. */
class PrivateRegistry extends FakeRegistry {
  override get url(): string {
    return 'https://auth.lan';
  }
  get behind(): string {
    return super.url;
  }
}

export interface Private {
  readonly registry: PrivateRegistry;
  /** Of the authority, in PEM. */
  readonly ca: string;
  /** For the configuration: where every name below `.lan` is. */
  readonly resolve: Readonly<Record<string, string>>;
  /** The names by which it was greeted, one for each connection that was believed. */
  readonly greeted: string[];
}

const names = ['a.lan', 'auth.lan', 'cdn.lan', 'elsewhere.lan', 'other.lan'];

/** The registry under each of these names, but for `cdn.lan` and `elsewhere.lan`, where its blobs are. */
export async function startPrivate(t: TestContext): Promise<Private> {
  const registry = new PrivateRegistry();
  await registry.up();
  const cdn = await startCdn(registry);
  // Certificates are looked at by the clock of the machine.
  const now = Date.now();
  const authority = makeAuthority(['lan'], now);
  const key = makeKey();
  const greeted: string[] = [];
  const sockets = new Set<TLSSocket>();
  const server = createServer({
    SNICallback: (host, done) => {
      const cert = issueLeaf(issuerOf(authority), { host, key, from: now - 1000, until: now + 100_000 });
      done(null, createSecureContext({ key, cert }));
    },
  }).on('secureConnection', (socket) => {
    const name = socket.servername || '';
    const { port } = new URL(['cdn.lan', 'elsewhere.lan'].includes(name) ? cdn.url : registry.behind);
    // Who does not believe the certificate leaves without a word.
    socket.once('data', () => greeted.push(name));
    const behind = connect(Number(port), '127.0.0.1');
    for (const each of [socket, behind]) each.on('error', () => {});
    socket.pipe(behind).pipe(socket);
    sockets.add(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  t.after(async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await Promise.all([registry.down(), cdn.down()]);
  });
  const resolve = Object.fromEntries(names.map((name) => [name, `127.0.0.1:${port}`]));
  return { registry, ca: authority.certificate, resolve, greeted };
}
