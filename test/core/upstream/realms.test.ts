// The realm table: wherever a registry sends us for a token × whatever we have to show there. No login arrives anywhere but where it may.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { getDomain } from 'tldts';
import { ours } from '../../../src/core/access/caller.ts';
import { parseTag } from '../../../src/core/oci/reference.ts';
import { basic } from '../../../src/core/oci/login.ts';
import { trustOfRealm } from '../../../src/core/upstream/realm.ts';
import type { Relayed } from '../../../src/core/upstream/relay.ts';
import { makePair, temporary } from '../../node/pair.ts';
import { bench, send, serve, signal } from './bench.ts';

const registrableDomain = (host: string) => getDomain(host, { allowPrivateDomains: true }) ?? undefined;

/** By name, on https: which realms may be asked at all. The endpoint is `https://registry.team.github.io`. */
const named: Readonly<Record<string, readonly [realm: string, isTrusted: boolean]>> = {
  'its own host': ['https://registry.team.github.io/token', true],
  'its own host in capitals': ['https://REGISTRY.Team.GitHub.io/token', true],
  'another port of its own host': ['https://registry.team.github.io:8443/token', true],
  'a sibling on its domain': ['https://auth.team.github.io/token', true],
  'its domain with a dot behind it': ['https://auth.team.github.io./token', true],
  'a foreign domain': ['https://evil.example/token', false],
  'a sibling under a public suffix': ['https://evil.github.io/token', false],
  'the public suffix': ['https://github.io/token', false],
  http: ['http://registry.team.github.io/token', false],
  'http on port 443': ['http://registry.team.github.io:443/token', false],
  'an address': ['https://192.0.2.1/token', false],
  'an address as a number': ['https://3221225985/token', false],
  'an address of IPv6': ['https://[2001:db8::1]/token', false],
  localhost: ['https://localhost/token', false],
  'a user before its host': ['https://me@registry.team.github.io/token', false],
  'its host as a user': ['https://registry.team.github.io@evil.example/token', false],
  'its host as a password': ['https://x:registry.team.github.io@evil.example/token', false],
  'its host behind a backslash': ['https://evil.example\\.registry.team.github.io/token', false],
  'its host as a label elsewhere': ['https://registry.team.github.io.evil.example/token', false],
  'a letter that looks alike': ['https://registry.te\u0430m.github.io/token', false],
  'the same in punycode': ['https://registry.xn--tem-5cd.github.io/token', false],
  'letters that are alike to a name': ['https://registry.\uFF54eam.github.io/token', true],
  'another scheme': ['ftp://registry.team.github.io/token', false],
};

describe('a realm, by its name', () => {
  const endpoint = 'https://registry.team.github.io';
  const registry = { name: 'x', aliases: [], endpoints: [endpoint], mirrors: [], realms: [], redirects: [], cdns: [] };
  for (const [what, [realm, isTrusted]] of Object.entries(named)) {
    it(`${what} is ${isTrusted ? '' : 'not '}trusted`, () => {
      const trust = trustOfRealm(new URL(realm), new URL(endpoint), registry, registrableDomain);
      assert.equal(trust !== undefined, isTrusted, new URL(realm).href);
    });
  }
});

const login = basic('me', 'swordfish');
const fields = (given: Readonly<Record<string, string>>) => ({ kind: 'form', fields: Object.entries(given) }) as const;
const relayed = (shown: Relayed['login']): Relayed => ({
  registry: 'registry.test',
  scopes: ['repository:a/b:pull'],
  parameters: [],
  login: shown,
});
const reference = { repository: { registry: 'registry.test', name: 'a/b' }, target: parseTag('1') };
type Upstream = ReturnType<typeof bench>['upstream'];

/** What there is to show, and how it comes to be shown. */
const shown: Readonly<Record<string, (upstream: Upstream) => Promise<unknown>>> = {
  'our credentials': (upstream) => upstream.manifest(reference, ours, signal),
  'a login in a header': (upstream) => upstream.relay(relayed({ kind: 'header', authorization: login }), signal),
  'a login in a form': (upstream) =>
    upstream.relay(relayed(fields({ grant_type: 'password', username: 'me', password: 'swordfish' })), signal),
  'a token to refresh with': (upstream) =>
    upstream.relay(relayed(fields({ grant_type: 'refresh_token', refresh_token: 'swordfish' })), signal),
};

/** What has arrived: all heads and bodies. */
class Thief {
  readonly seen: string[] = [];
  readonly take = (request: IncomingMessage, response: ServerResponse): void => {
    this.seen.push(JSON.stringify([request.url, request.headers]));
    request.on('data', (chunk: Buffer) => this.seen.push(chunk.toString()));
    request.on('end', () => send(response, 200, {}, '{"token":"stolen"}'));
  };
  get sawLogin(): boolean {
    const all = this.seen.join('');
    return all.includes('swordfish') || all.includes(login);
  }
}

/** What the endpoint says, at the n-th time: its own origin, and where the thief listens (on 127.0.0.1, and by TLS). */
interface Places {
  readonly own: string;
  readonly thief: string;
  readonly secure: string;
}
type Challenge = (places: Places, time: number) => string | readonly string[];
const bearer = (realm: string) => `Bearer realm="${realm}/token",service="s"`;
const elsewhere = (url: string) => url.replace('127.0.0.1', 'localhost');

const challenges: Readonly<Record<string, Challenge>> = {
  'a foreign host': ({ thief }) => bearer(elsewhere(thief)),
  'a foreign host by https': ({ secure }) => bearer(elsewhere(secure)),
  'another address of this machine': ({ thief }) => bearer(thief.replace('127.0.0.1', '127.0.0.2')),
  'an address of IPv6': ({ thief }) => bearer(thief.replace('127.0.0.1', '[::1]')),
  'an address of IPv6 that is one of IPv4': ({ thief }) => bearer(thief.replace('127.0.0.1', '[::ffff:127.0.0.1]')),
  'its own host with a user': ({ own }) => bearer(own.replace('//', '//me@')),
  'its own host as a user': ({ own, thief }) => bearer(elsewhere(thief).replace('//', `//${new URL(own).hostname}@`)),
  'a name with a dot behind it': ({ thief }) => bearer(thief.replace('127.0.0.1', 'localhost.')),
  'two challenges, the foreign one first': ({ own, thief }) => `${bearer(elsewhere(thief))}, ${bearer(own)}`,
  'two headers, the foreign one first': ({ own, thief }) => [bearer(elsewhere(thief)), bearer(own)],
  'a name and a password, and a foreign realm': ({ thief }) => `Basic realm="x", ${bearer(elsewhere(thief))}`,
  'a foreign realm, and a name and a password': ({ thief }) => `${bearer(elsewhere(thief))}, Basic realm="x"`,
  'a realm twice, the foreign one first': ({ own, thief }) =>
    `Bearer realm="${elsewhere(thief)}/token",realm="${own}/token"`,
  'no URL': () => 'Bearer realm="//evil.example/token"',
};

for (const [credential, show] of Object.entries(shown)) {
  describe(`a realm that gets ${credential} is one that may; not`, () => {
    const thief = new Thief();
    let places: Omit<Places, 'own'>;
    before(async () => {
      const directory = temporary({ after: (ended) => after(ended as () => void) });
      const { certificate, key } = makePair(directory, 'thief');
      const secure = createTlsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, thief.take);
      const plain = createServer(thief.take);
      const urls: string[] = [];
      for (const [scheme, server] of [
        ['http', plain],
        ['https', secure],
      ] as const) {
        // On all of this machine's addresses: who goes to any of them is seen.
        server.listen(0, '::');
        await once(server, 'listening');
        after(() => void (server.closeAllConnections(), server.close()));
        urls.push(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`);
      }
      places = { thief: urls[0]!, secure: urls[1]! };
    });

    for (const [what, challenge] of Object.entries(challenges)) {
      it(what, async () => {
        let time = 0;
        const registry = await serve((request, response) => {
          if (request.url?.startsWith('/token') === true) return send(response, 200, {}, '{"token":"t"}');
          const said = challenge({ ...places, own: registry.url }, (time += 1));
          response.writeHead(401, { 'www-authenticate': said as string }).end();
        });
        const { upstream } = bench({
          endpoints: [registry.url],
          credentials: [{ username: 'me', password: 'swordfish' }],
        });
        for (let i = 0; i < 2; i += 1) await assert.rejects(show(upstream), /./, what);
        assert.deepEqual(thief.seen, []);
        assert.ok(
          registry.log.every(({ url, headers }) => url.startsWith('/token') || headers.authorization !== login),
        );
      });
    }

    for (const status of [301, 302, 303, 307, 308]) {
      for (const to of ['its own host', 'another host']) {
        it(`where it redirects to, ${to} (${status})`, async () => {
          const taken = new Thief();
          const registry = await serve((request, response) => {
            if (request.url?.startsWith('/stolen') === true) return taken.take(request, response);
            if (request.url?.startsWith('/token') !== true) {
              return send(response, 401, { 'www-authenticate': bearer(registry.url) });
            }
            send(response, status, { location: to === 'its own host' ? '/stolen' : `${places.thief}/stolen` });
          });
          const { upstream } = bench({
            endpoints: [registry.url],
            redirects: [places.thief],
            credentials: [{ username: 'me', password: 'swordfish' }],
          });
          await assert.rejects(show(upstream), { status: 502 });
          assert.deepEqual([thief.seen, taken.seen], [[], []]);
        });
      }
    }

    it('that of a 401 by whom the registry has redirected to', async () => {
      const cdn = await serve((_request, response) =>
        send(response, 401, { 'www-authenticate': `${bearer(elsewhere(places.thief))}, Basic realm="cdn"` }),
      );
      const registry = await serve((_request, response) => send(response, 307, { location: `${cdn.url}/x` }));
      const { upstream } = bench({
        endpoints: [registry.url],
        redirects: [cdn.url],
        credentials: [{ username: 'me', password: 'swordfish' }],
      });
      await assert.rejects(show(upstream));
      assert.deepEqual(thief.seen, []);
      assert.ok(cdn.log.every(({ headers }) => headers.authorization === undefined));
    });

    it('that which it names the second time', async () => {
      let time = 0;
      const registry = await serve((request, response) => {
        // At first no tokens are to be had, so that the endpoint is asked again.
        if (request.url?.startsWith('/token') === true) return send(response, 404);
        const realm = (time += 1) > 1 ? elsewhere(places.thief) : registry.url;
        send(response, 401, { 'www-authenticate': bearer(realm) });
      });
      const { upstream } = bench({
        endpoints: [registry.url],
        credentials: [{ username: 'me', password: 'swordfish' }],
      });
      for (let i = 0; i < 3; i += 1) await assert.rejects(show(upstream));
      assert.ok(time > 1);
      assert.deepEqual(thief.seen, []);
    });

    it('any, while its own gets them', async () => {
      const own = new Thief();
      const registry = await serve((request, response) => {
        if (request.url?.startsWith('/token') === true) return own.take(request, response);
        if (request.headers.authorization === 'Bearer stolen') return send(response, 404);
        send(response, 401, { 'www-authenticate': bearer(registry.url) });
      });
      const { upstream } = bench({
        endpoints: [registry.url],
        credentials: [{ username: 'me', password: 'swordfish' }],
      });
      await show(upstream);
      assert.ok(own.sawLogin);
    });
  });
}
